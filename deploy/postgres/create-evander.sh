# Run once, by PostgreSQL's first start: the manager's role owns its database and nothing else.
password=$(cat /run/evander/evander)
psql -v ON_ERROR_STOP=1 -q -U postgres -d postgres -v password="$password" <<'SQL'
CREATE ROLE evander LOGIN PASSWORD :'password';
CREATE DATABASE evander OWNER evander;
REVOKE ALL ON DATABASE evander FROM PUBLIC;
SQL
