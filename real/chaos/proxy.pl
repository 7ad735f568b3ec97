#!/usr/bin/perl
# The fault proxy inside a pod's network namespace: what comes to PORT goes on to 127.0.0.1:TARGET, with a fault on the way.
#
# Perl, because it runs on the node, and every Debian has perl-base; Python is on no node. Arguments: name=value. Seconds and bytes.
#   listen, target   ports              to, from        delay of what goes to the server, of what comes from it
#   jitter           +- on each delay   reset_after     reset a connection of this age (-1: never)
#   hole=1           take, answer none  close_delay     how late an end is passed on
#   slice, gap       pieces of so many bytes, so far apart         limit     bytes of an answer after which it is cut (0: all)
#   tag              ours, to be known by
# TERM: no more delays, idle connections end, gone within five seconds. One line on standard output when it listens.
use strict;
use warnings;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Config;

my %o = (to => 0, from => 0, jitter => 0, reset_after => -1, hole => 0, close_delay => 0, slice => 0, gap => 0, limit => 0);
for (@ARGV) { my ($name, $value) = split /=/, $_, 2; $o{$name} = $value; }

# clock_gettime(CLOCK_MONOTONIC): perl-base has no Time::HiRes. Elsewhere /proc/uptime, which counts in hundredths.
my $call = $Config{archname} =~ /x86_64/ ? 228 : $Config{archname} =~ /aarch64/ ? 113 : 0;
sub now {
    if ($call) { my $t = pack('q2', 0, 0); syscall($call, 1, $t); my ($s, $n) = unpack('q2', $t); return $s + $n / 1e9; }
    open(my $file, '<', '/proc/uptime') or die; my $line = <$file>; close $file; return (split / /, $line)[0];
}

my $server = IO::Socket::INET->new(LocalPort => $o{listen}, Listen => 512, ReuseAddr => 1, Blocking => 0) or die "listen: $!\n";
$| = 1;
print "listening\n";
my ($ending, $ends) = (0, 0);
$SIG{TERM} = sub { $ending = 1; $ends = now() + 5; };
$SIG{PIPE} = 'IGNORE';

my %links;    # id -> link
my %side;     # fileno -> [id, 'c' | 's']
my $next = 0;

sub later { my ($delay) = @_; return 0 if $ending; return $delay + ($o{jitter} ? (2 * rand() - 1) * $o{jitter} : 0); }

sub accept_one {
    my $client = $server->accept or return 0;
    $client->blocking(0);
    my $id = $next++;
    my $link = { c => $client, born => now(), seen => now(), sent => 0, q => { c => [], s => [] }, eof => {}, out => { c => '', s => '' } };
    if (!$o{hole}) {
        my $up = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $o{target}, Timeout => 5);
        if (!$up) { reset_socket($client); return 1; }
        $up->blocking(0);
        setsockopt($_, IPPROTO_TCP, TCP_NODELAY, 1) for ($client, $up);
        $link->{s} = $up;
        $side{ fileno $up } = [$id, 's'];
    }
    $side{ fileno $client } = [$id, 'c'];
    $links{$id} = $link;
    return 1;
}

sub reset_socket { my ($socket) = @_; setsockopt($socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)); close $socket; }

sub drop {
    my ($id, $reset) = @_;
    my $link = delete $links{$id} or return;
    for my $end ('c', 's') {
        my $socket = $link->{$end} or next;
        delete $side{ fileno $socket };
        $reset && $end eq 'c' ? reset_socket($socket) : close $socket;
    }
}

# Bytes that came in at one end wait in the queue of the other; '' stands for the end of the stream.
sub took {
    my ($id, $end) = @_;
    my $link = $links{$id} or return;
    my $count = sysread($link->{$end}, my $bytes, 65536);
    return if !defined $count && $!{EAGAIN};
    return drop($id, 1) if !defined $count;
    ($link->{seen}, $link->{last}) = (now(), $end);
    return if $o{hole};
    my $other = $end eq 'c' ? 's' : 'c';
    my $at = now() + later($end eq 'c' ? $o{to} : $o{from});
    my $queue = $link->{q}{$other};
    $at = $queue->[-1][0] if @$queue && $queue->[-1][0] > $at;    # bytes never overtake bytes
    if ($count == 0) { $link->{eof}{$end} = 1; push @$queue, [$at + ($ending ? 0 : $o{close_delay}), '']; return; }
    if ($other eq 'c' && $o{limit}) {
        $bytes = substr($bytes, 0, $o{limit} - $link->{sent});
        $link->{sent} += length $bytes;
        push @$queue, [$at, $bytes] if length $bytes;
        push @$queue, [$at, ''] if $link->{sent} >= $o{limit};
        return;
    }
    if ($other eq 'c' && $o{slice}) {
        while (length $bytes) { push @$queue, [$at, substr($bytes, 0, $o{slice}, '')]; $at += $ending ? 0 : $o{gap}; }
        return;
    }
    push @$queue, [$at, $bytes];
}

# Send what is due to one end; true while the link lives.
sub flush_end {
    my ($id, $end, $now) = @_;
    my $link = $links{$id} or return 0;
    my $queue = $link->{q}{$end};
    while (@$queue && ($ending || $queue->[0][0] <= $now)) {
        last if length $link->{out}{$end} > 1 << 20;
        my $bytes = $queue->[0][1];
        if ($bytes eq '') {
            last if length $link->{out}{$end};
            shift @$queue;
            shutdown($link->{$end}, 1);
            $link->{done}{$end} = 1;
            if (($link->{done}{c} && $link->{done}{s}) || ($end eq 'c' && $o{limit})) { drop($id, 0); return 0; }
            next;
        }
        shift @$queue;
        $link->{out}{$end} .= $bytes;
    }
    if (length $link->{out}{$end}) {
        my $sent = syswrite($link->{$end}, $link->{out}{$end});
        if (!defined $sent) { if (!$!{EAGAIN}) { drop($id, 1); return 0; } $sent = 0; }
        $link->{seen} = now() if $sent;
        substr($link->{out}{$end}, 0, $sent, '');
    }
    return 1;
}

while (1) {
    my ($read, $write, $wait, $now) = ('', '', 1.0, now());
    vec($read, fileno($server), 1) = 1;    # also while ending: what came before is still served
    for my $id (keys %links) {
        my $link = $links{$id};
        if ($o{reset_after} >= 0 && !$ending && $now - $link->{born} >= $o{reset_after}) { drop($id, 1); next; }
        flush_end($id, 'c', $now) or next;
        if ($link->{s}) { flush_end($id, 's', $now) or next; }
        my $idle = !@{ $link->{q}{c} } && !@{ $link->{q}{s} } && !length($link->{out}{c} . $link->{out}{s});
        # Whoever spoke last: after the server an answer is complete, after the client one is still to come.
        my $quiet = ($link->{last} || 'c') eq 'c' ? 5 : $now < $ends - 2 ? 0.1 : 0.02;
        if ($ending && ($o{hole} || ($idle && $now - $link->{seen} > $quiet))) { drop($id, $o{hole}); next; }
        for my $end ('c', 's') {
            my $socket = $link->{$end} or next;
            vec($read, fileno($socket), 1) = 1 if !$link->{eof}{$end} && @{ $link->{q}{ $end eq 'c' ? 's' : 'c' } } < 4096;
            vec($write, fileno($socket), 1) = 1 if length $link->{out}{$end};
            my $due = @{ $link->{q}{$end} } ? $link->{q}{$end}[0][0] - $now : 1.0;
            $wait = $due < 0 ? 0 : $due if $due < $wait;
        }
        if ($o{reset_after} >= 0) { my $due = $link->{born} + $o{reset_after} - $now; $wait = $due < 0 ? 0 : $due if $due < $wait; }
    }
    exit 0 if $ending && ((!%links && $now > $ends - 4.5) || $now > $ends);
    $wait = 0.02 if $ending && $wait > 0.02;
    my ($readable, $writable) = ($read, $write);
    my $found = select($readable, $writable, undef, $wait);
    next if $found <= 0;
    if (vec($readable, fileno($server), 1)) { 1 while accept_one(); }
    for my $number (keys %side) {
        next if !vec($readable, $number, 1);
        my $known = $side{$number} or next;
        took(@$known);
    }
}
