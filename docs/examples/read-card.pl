#!/usr/bin/perl
# The same from Perl (Debian: libpcsc-perl).
use strict;
use warnings;
use Chipcard::PCSC;
use Chipcard::PCSC::Card;

my $service = Chipcard::PCSC->new() or die "no pcscd: $Chipcard::PCSC::errno\n";
my ($reader) = $service->ListReaders() or die "no reader\n";
my $card = Chipcard::PCSC::Card->new($service, $reader) or die "no card: $Chipcard::PCSC::errno\n";

sub ask {
  my $answer = $card->Transmit([map { hex } $_[0] =~ /../g]) or die "no answer\n";
  my $second = pop @$answer;
  my $first  = pop @$answer;
  return (pack('C*', @$answer), $first << 8 | $second);
}

die "not a My Number card\n" if (ask('00A4040C0AD392F000260100000001'))[1] != 0x9000;
ask('00A4020C020006');
my ($label) = ask('00B0000020');
$label =~ s/[ \0]+$//;
ask('00A4020C020018');
my $counter = (ask('00200080'))[1];
printf "%s: %s tries left\n", $label, $counter >> 4 == 0x63C ? $counter & 0x0F : 'no';
