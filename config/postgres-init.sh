#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: one plain role that owns one database.
# It is no superuser, because row-level security does not bind a superuser.
set -eu
psql --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres \
    --set=database="$OUTREACH_DATABASE" --set=password="$OUTREACH_PASSWORD" <<'SQL'
CREATE ROLE outreach LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE :"database" OWNER outreach;
SQL
