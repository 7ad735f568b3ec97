#!/usr/bin/perl
# Stands in for a registry on a node: answers every request with one status, or with nothing. Perl for the reason given in proxy.pl.
#
# Arguments: name=value. port (on loopback), code (0: no answer), tag (ours, to be known by).
use strict;
use warnings;
use IO::Socket::INET;

my %o = map { split /=/, $_, 2 } @ARGV;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $o{port}, Listen => 64, ReuseAddr => 1) or die "listen: $!\n";
my $body = '{"errors":[{"code":"UNKNOWN","message":"seatrial: fault image.pull_fail"}]}';
my $head = "HTTP/1.1 $o{code} Fault\r\nContent-Type: application/json\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n";
my @held;
while (my $client = $server->accept) {
    if (!$o{code}) { push @held, $client; next; }
    while (my $line = <$client>) { last if $line =~ /^\r?\n/; }
    print $client $head . $body;
    close $client;
}
