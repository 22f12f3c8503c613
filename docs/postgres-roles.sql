-- Rights for the roles that work with a store. Run it as the role that created the store (`al workspace create`), which
-- owns the tables; nobody needs to work as that role from day to day.
--
--   psql postgres://al_owner@db.example.com/lattice --set writer=al_writer --set reader=al_reader --file postgres-roles.sql
--
-- Both roles exist already (`CREATE ROLE al_writer LOGIN`). Run it again after an upgrade that migrated the store.

\set ON_ERROR_STOP on
BEGIN;

-- Servers and pipelines. Nothing in the audit log is ever changed: the log's head moves on, and that is all. Nothing is ever
-- deleted but what a server answered more than a day ago, to requests that may be sent again.
GRANT USAGE ON SCHEMA lattice TO :"writer";
GRANT SELECT ON ALL TABLES IN SCHEMA lattice TO :"writer";
GRANT INSERT ON lattice.workspace, lattice.access_key, lattice.policy, lattice.policy_version, lattice.breaker,
    lattice.audit_event, lattice.audit_node, lattice.audit_head, lattice.request TO :"writer";
GRANT UPDATE (name, revision) ON lattice.workspace TO :"writer";
GRANT UPDATE (workspace, revoked_at) ON lattice.access_key TO :"writer";
GRANT UPDATE (active, seq, action_type, approval_required, approval_timeout_hours, allowed_repos, allowed_branches,
    conditions) ON lattice.policy TO :"writer";
GRANT UPDATE (score_threshold, response_level) ON lattice.breaker TO :"writer";
GRANT UPDATE (size, frontier, root) ON lattice.audit_head TO :"writer";
GRANT DELETE ON lattice.request TO :"writer";

-- Auditors and dashboards: `al export`, `al audit verify` and everything else that changes nothing.
GRANT USAGE ON SCHEMA lattice TO :"reader";
GRANT SELECT ON ALL TABLES IN SCHEMA lattice TO :"reader";
REVOKE SELECT ON lattice.request FROM :"reader";
COMMIT;
