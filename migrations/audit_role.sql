-- Takes the audit away from the role that Lethe signs in to PostgreSQL with. Run it once, as a superuser, in Lethe's
-- database after its first start, with the name of Lethe's role in the place of "lethe":
--   psql --dbname=lethe --file=migrations/audit_role.sql
--
-- Lethe can then add events, and give a new event its place and code. It can neither change nor delete one, nor switch
-- off the triggers that refuse to. A later version of Lethe that changes these two tables says so in its notes.
BEGIN;
CREATE ROLE lethe_audit NOLOGIN;
ALTER TABLE audit_events OWNER TO lethe_audit;
ALTER TABLE audit_head OWNER TO lethe_audit;
ALTER FUNCTION audit_refuse() OWNER TO lethe_audit;
GRANT SELECT, INSERT, UPDATE (sequence, mac) ON audit_events TO "lethe";
GRANT USAGE ON SEQUENCE audit_events_id_seq TO "lethe";
GRANT SELECT, UPDATE ON audit_head TO "lethe";
COMMIT;
