# Runs a PostgreSQL server in the folder $2 with the programs of $1 on the port $3, and obeys its standard input: `kill` ends
# it without warning, `start` starts it again. At the end of the input it stops it and removes the folder: that end comes with
# the end of whoever holds the other side, however that is.
set -u
bin=$1 dir=$2 port=$3
trap 'rm -rf "$dir"' EXIT

# A server does not run as root.
if [ "$(id -u)" = 0 ]; then
    chown -R postgres "$dir"
    as() { runuser -u postgres -- "$@"; }
else
    as() { "$@"; }
fi

start() {
    as "$bin/pg_ctl" -D "$dir/data" -w -s -l "$dir/log" start </dev/null >/dev/null 2>&1
}

as "$bin/initdb" -D "$dir/data" -U lattice --pwfile="$dir/password" -E UTF8 --no-locale --no-sync \
    --auth-host=scram-sha-256 --auth-local=trust >"$dir/initdb.log" 2>&1 || { echo "initdb failed"; cat "$dir/initdb.log"; exit 1; }
cat >>"$dir/data/postgresql.conf" <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$dir'
max_connections = 200
fsync = off
ssl = on
ssl_cert_file = '$dir/server.crt'
ssl_key_file = '$dir/server.key'
END
start || { echo "the server did not start"; cat "$dir/log"; exit 1; }
echo ready

while read -r command; do
    case $command in
    kill) kill -9 "$(head -n 1 "$dir/data/postmaster.pid")" ;;
    start) until start; do sleep 0.2; done ;;
    esac
    echo "done"
done
kill -QUIT "$(head -n 1 "$dir/data/postmaster.pid")" 2>/dev/null
while [ -e "$dir/data/postmaster.pid" ]; do sleep 0.05; done
