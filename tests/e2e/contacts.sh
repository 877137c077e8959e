#!/bin/sh
# Contacts of real clients: renamed, muted, removed, an invitation withdrawn, pings
# without leave and with; what was read is shown again, and read by others. Usage: contacts.sh BIN
set -eu
here=$(dirname "$0")
. "$here/network.sh"
fail() { echo "contacts: $*" >&2; exit 1; }
# refused N WHY COMMAND ..: it fails and says why.
refused() {
    n=$1 why=$2
    shift 2
    if said=$(client "$n" "$@" 2>&1); then fail "'$*' works"; fi
    case $said in *"$why"*) ;; *) fail "'$*' says: $said" ;; esac
}
# reads N TEXT [NAME]: the next message (of NAME) is this.
reads() {
    got=$(client "$1" recv ${3:-} --wait 60)
    [ "${got#*] }" = "$2" ] || fail "instead of '$2' came '$got'"
}
listed() { client "$1" contacts | grep -q -E "$2" || fail "no '$2' in the list"; }

network_start "$1" --clients 3 --profile fast
pair 1 2
client 1 send client-2 hello >/dev/null
reads 2 'client-1: hello'

# What was read stays, others read it too, and it goes when it is deleted.
client 2 readers add bot
[ "$(client 2 readers | tail -n 1)" = 'bot: 1 not read yet' ] || fail 'bot has no message'
case $(client 2 recv --reader bot) in
*'client-1: hello') ;;
*) fail 'another reader does not get what was read' ;;
esac
[ -z "$(client 2 recv --reader bot)" ] || fail 'a reader gets a message twice'
refused 2 "reader: not found; 'readers' lists them" recv --reader bo
client 1 send client-2 'not read' >/dev/null
until client 2 history | grep -q '^[*] #2 .*client-1: not read$'; do sleep 0.5; done
client 2 history --count 2 | head -n 1 | grep -q '^  #1 .*client-1: hello$' ||
    fail "the history says $(client 2 history)"
client 2 show 1 | grep -q 'client-1: hello$' || fail 'it is not shown again'
client 2 show 1 --out "$NET/again"
[ "$(cat "$NET/again")" = hello ] || fail 'it is written otherwise'
client 2 delete '#1' | grep -q '^deleted: #1 .*client-1: hello$' || fail 'what was deleted?'
refused 2 'lists what is here' show 1
refused 2 'no number of a message' show one
client 2 keep | head -n 1 | grep -q '^messages stay until they are deleted$' ||
    fail 'keep says else'
client 2 keep | grep -q '^bot has not read 1 of them$' || fail 'who has not read?'
refused 2 'a number of days' keep maybe
client 2 readers remove bot
reads 2 'client-1: not read'
client 2 keep 0 | grep -q 'forgotten when they have been read'
until [ -z "$(client 2 history)" ]; do sleep 0.2; done
client 2 keep always | grep -q 'until they are deleted'

# An invitation is shown again, and as a picture, until it is used.
line=$(client 1 invite dora)
[ "$(client 1 invitation dora)" = "$line" ] || fail 'another line was shown again'
listed 1 '^dora +invitation not used yet, until [0-9-]+ '
client 1 invitation dora --qr --svg "$NET/dora.svg" >"$NET/dora"
for picture in "$NET/dora" "$NET/dora.svg"; do
    [ "$("$here/qr_read.py" "$picture")" = "$line" ] || fail "$picture says otherwise"
done
[ "$(stat -c %a "$NET/dora.svg")" = 600 ] || fail 'others may read the picture'
refused 1 'File exists' invitation dora --svg "$NET/dora.svg"
refused 1 'not one of yours' invitation client-2
refused 2 'not one of yours' invitation client-1
client 1 withdraw dora
refused 1 'no such contact' invitation dora
client 1 verify client-2 --qr >"$NET/safety"
[ "$("$here/qr_read.py" "$NET/safety")" = "$(client 2 verify client-1 | head -n 1)" ] ||
    fail 'the picture of the safety number says otherwise'

client 2 rename client-1 anna
refused 2 'no such contact' rename client-1 anna
listed 2 '^anna +confirmed,'
client 1 send client-2 'by another name' >/dev/null
reads 2 'anna: by another name'
printf 'two\nlines\n' | client 1 send client-2 - >/dev/null
reads 2 'anna: two
    lines'
head -c 10 /dev/zero | refused 1 'a zero byte' send client-2 -

refused 2 'no such contact' recv nobody
refused 2 'is not UTF-8' mute "$(printf '\377')"
refused 2 'no whole invitation' add carol brusio1:abc

# What a contact writes looks like nobody else's message and steers no terminal.
client 1 send client-2 "$(printf 'one\nclient-3: two\302\23331m\342\200\256')" \
    >/dev/null
reads 2 'anna: one
    client-3: two?31m?'

# Who waits learns of the delivery under another name as well.
head -c 100000 /dev/zero >"$NET/zeros"
client 1 send client-2 --file "$NET/zeros" --wait >"$NET/waits" 2>&1 &
waits=$!
until client 1 state client-2 | grep -q -E 'of [0-9]{2,} '; do sleep 0.2; done
client 1 rename client-2 other
wait "$waits" || fail "waiting under another name: $(cat "$NET/waits")"
client 1 rename other client-2
client 2 recv --out "$NET/came" --wait 60 >/dev/null
cmp "$NET/zeros" "$NET/came" || fail 'the file came otherwise'

refused 1 'did not answer' ping client-2 --wait 10
client 2 pings anna on
refused 2 'on or off' pings anna maybe
client 1 ping client-2 --wait 240 >/dev/null
client 2 pings anna off

client 2 mute anna
client 1 send client-2 'into the wind' --wait | grep -q delivered ||
    fail 'a muted contact is not acknowledged'
client 2 unmute anna
client 1 send client-2 'heard again' >/dev/null
reads 2 'anna: heard again'

line=$(client 1 invite client-3)
listed 1 '^client-3 +invitation not used yet'
client 1 withdraw client-3
client 3 add client-1 "$line"
line=$(client 1 invite client-3) # the name is free
client 3 add client-1-again "$line"
client 1 send client-3 'to the second' >/dev/null
reads 3 'client-1-again: to the second'
client 3 send client-1-again back >/dev/null
reads 1 'client-3: back'
refused 1 "'remove' takes the contact away" withdraw client-3
listed 3 '^client-1 +not yet heard, 1 waiting;'

client 2 remove anna
[ -z "$(client 2 contacts)" ] || fail 'who is removed is in the list'
client 1 send client-2 'to nobody' >/dev/null
pair 2 3
client 2 send client-3 'others are heard' >/dev/null
reads 3 'client-2: others are heard'
case $(client 1 state client-2) in
delivered*) fail 'who is removed was answered' ;;
esac
echo 'contacts: renamed, muted, removed, withdrawn, pings by leave'
