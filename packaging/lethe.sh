#!/bin/sh
# Runs Lethe on the command line as the service runs it: as the user lethe, in /var/lib/lethe, with the settings of
# /etc/lethe/lethe.env. Start it with sudo, or as the user lethe.
set -eu
settings=/etc/lethe/lethe.env
program=/usr/lib/lethe/lethe
folder=/var/lib/lethe

if [ ! -r "$settings" ]; then
    echo "Not done: $settings cannot be read. Run: sudo lethe $*" >&2
    exit 1
fi
# As systemd reads the file, and unlike a shell: the value is the rest of the line. Quotes around it are optional.
while IFS= read -r line || [ -n "$line" ]; do
    case $line in LETHE_*=*) ;; *) continue ;; esac
    value=${line#*=}
    case $value in \"*\" | \'*\') value=${value#?} value=${value%?} ;; esac
    export "${line%%=*}=$value"
done <"$settings"
cd "$folder"
if [ "$(id -u)" = 0 ]; then
    export HOME="$folder"
    exec setpriv --reuid=lethe --regid=lethe --init-groups "$program" "$@"
fi
exec "$program" "$@"
