#!/bin/sh
# The application's role: owns its database, is no superuser, cannot bypass row-level security.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 --set password="$CDP_PASSWORD" <<'SQL'
CREATE ROLE cdp LOGIN PASSWORD :'password' NOSUPERUSER NOBYPASSRLS;
CREATE DATABASE cdp OWNER cdp;
SQL
