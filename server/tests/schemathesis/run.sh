# Starts a server with `al` ($1) and holds it to its OpenAPI document with schemathesis ($2), once for each kind of key.
set -eu
al=$(realpath "$1") schemathesis=$(realpath "$2") here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"

export AL_URL=sqlite:al.db
service=$("$al" workspace create dev --quiet)
agent=$("$al" key create --agent --workspace dev --quiet)
admin=al_admin_$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
AL_ADMIN_KEY=$admin "$al" serve --listen 127.0.0.1:0 --trust-forwarded-for --log json 2>log &
server=$!
until address=$(sed -n 's/^serving .* on //p' log) && [ -n "$address" ]; do sleep 0.1; done

export SCHEMATHESIS_HOOKS=$here/hooks.py
export PYTHONDONTWRITEBYTECODE=1
check() {
    key=$1
    shift
    "$schemathesis" run "$address/v1/openapi.json" --header "Authorization: Bearer $key" \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
        --phases coverage,fuzzing --max-examples 15 --seed 1 --no-color "$@" >report 2>&1 || { cat report; exit 1; }
    tail -n 4 report
}

# A service key that it revoked would end the run: what would happen is known.
check "$service" --exclude-path-regex '/v1/workspaces|/revoke'
check "$agent" --exclude-path-regex '/v1/workspaces'
check "$admin" --include-path-regex '/v1/workspaces'
