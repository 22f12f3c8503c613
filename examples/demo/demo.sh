#!/bin/sh
# The main job from end to end: policies go from dev to staging, and the audit log shows it.
#
#   sh examples/demo/demo.sh path/to/al
set -eu

al=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")/../.."
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
export AL_URL="sqlite:$store/al.db"

# What people read goes to one stream, in order; a redirected command still shows itself.
exec 3>&1 2>&1
say() { printf '\n# %s\n\n' "$*" >&3; }
run() { printf '$ %s\n' "$*" | sed "s|$store|\$STORE|g" >&3; "$@"; }
al() { "$al" "$@"; }

say "Two workspaces in a throw-away store, each with its own key"
run al workspace create dev --org-name 'Acme (dev)' >"$store/dev.key"
run al workspace create staging --org-name 'Acme (staging)' >"$store/staging.key"
run al workspace list

say "dev gets its policies; staging already has some of its own"
run al import --service-key-file "$store/dev.key" --file examples/policies/dev.yaml --quiet
run al import --service-key-file "$store/staging.key" --file examples/policies/staging.yaml --quiet

say "Export dev: this file is what gets reviewed"
run al export --service-key-file "$store/dev.key" --file "$store/policies.yaml"
run head -n 20 "$store/policies.yaml"

say "What would it do to staging? Nothing is written"
run al import --service-key-file "$store/staging.key" --file "$store/policies.yaml" --expect-workspace staging --dry-run --diff

say "Import it"
run al import --service-key-file "$store/staging.key" --file "$store/policies.yaml" --expect-workspace staging --quiet

say "Import it again: all unchanged"
run al import --service-key-file "$store/staging.key" --file "$store/policies.yaml" --expect-workspace staging

say "With --replace, what staging has beyond the file would be switched off"
run al import --service-key-file "$store/staging.key" --file "$store/policies.yaml" --expect-workspace staging --replace --dry-run

say "How would staging meet an agent that wants to deploy to production?"
run al eval --service-key-file "$store/staging.key" --action examples/actions/deploy-production.json

say "The audit log of staging, and whether it verifies"
run al audit list --service-key-file "$store/staging.key"
run al audit verify --state --service-key-file "$store/staging.key"
