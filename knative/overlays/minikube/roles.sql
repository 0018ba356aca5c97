-- Run once, by the image, when the database is made: fte_owner owns the schema and migrates it, fte_app
-- is what the functions connect as and owns nothing; neither is superuser. What fte_app may do is
-- granted by sql/grants.sql after every migration.
\getenv owner_password FTE_OWNER_PASSWORD
\getenv app_password FTE_APP_PASSWORD
CREATE ROLE fte_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE fte_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE DATABASE fte OWNER fte_owner;
REVOKE ALL ON DATABASE fte FROM PUBLIC;
GRANT CONNECT ON DATABASE fte TO fte_app;
\connect fte
CREATE EXTENSION IF NOT EXISTS vector;
