#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: one database, the role that owns its tables and migrates
# them, and the role that the product connects as. Neither is a superuser, because no wall binds a superuser.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --set=database="$OUTREACH_DATABASE" --set=password="$OUTREACH_PASSWORD" \
    --set=app_password="$OUTREACH_APP_PASSWORD" <<'SQL'
CREATE ROLE outreach LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE ROLE outreach_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE :"database" OWNER outreach;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO outreach_app;
SQL
