#!/usr/bin/perl
# Looks whether a fault bites, from a node or from inside a pod's network namespace. Perl for the reason given in proxy.pl.
#
#   reach HOST PORT SECONDS        0: a connection came about, or was refused by the machine itself; 1: no answer
#   open HOST PORT SECONDS         0: a connection came about; 1: not
#   ask HOST PORT SECONDS          prints bytes of the answer to one request, or reset, refused, silent
#   names HOST NAME COUNT          sends questions for a name to port 53 and waits for no answer
use strict;
use warnings;
use IO::Socket::INET;
use Errno qw(ECONNREFUSED);

my ($mode, $host, @rest) = @ARGV;

sub connected { my ($port, $seconds) = @_; return IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Timeout => $seconds); }

if ($mode eq 'reach') { exit((connected(@rest) || $! == ECONNREFUSED) ? 0 : 1); }
if ($mode eq 'open') { exit(connected(@rest) ? 0 : 1); }
if ($mode eq 'names') {
    my ($name, $count) = @rest;
    my $asked = join '', map { chr(length) . $_ } grep { length } split /\./, $name;
    my $question = pack('n6', 0x1234, 0x0100, 1, 0, 0, 0) . $asked . "\0" . pack('n2', 1, 1);    # RFC 1035 section 4.1: a question for A
    my $socket = IO::Socket::INET->new(Proto => 'udp', PeerAddr => $host, PeerPort => 53) or exit 1;
    for (1 .. $count) { $socket->send($question); }
    exit 0;
}
if ($mode eq 'ask') {
    my ($port, $seconds) = @rest;
    $SIG{ALRM} = sub { print 'silent'; exit 0; };
    alarm $seconds;
    my $socket = connected($port, $seconds) or do { print 'refused'; exit 0; };
    print $socket "GET / HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n";
    my $bytes = 0;
    while (1) {
        my $count = sysread $socket, my $part, 4096;
        if (!defined $count) { print 'reset'; exit 0; }
        last if !$count;
        $bytes += $count;
    }
    print $bytes;
    exit 0;
}
die "no mode $mode\n";
