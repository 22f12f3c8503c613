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

# A name that is made up exists nowhere: all that would be held is one refusal.
cat >schemathesis.toml <<END
[parameters]
"query.expect_workspace" = "dev"
"path.workspace" = "dev"
END

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

# Where nothing got through, refusals alone were held.
metrics=$(python3 -c 'import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())' "$address/metrics")
for operation in audit_checkpoint audit_list audit_verify breaker_list breaker_set decide diff export history import \
    key_create key_list save_plan workspace_breaker_set workspace_create workspace_key_create workspace_list workspace_show; do
    case $metrics in
    *"operation=\"$operation\",status=\"200\""*) ;;
    *) echo "no request for $operation got through" >&2; exit 1 ;;
    esac
done
