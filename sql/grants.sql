-- Run after every migration: the role the functions connect as may read and write, and define nothing.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'fte_app') THEN
        GRANT USAGE ON SCHEMA public TO fte_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO fte_app;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO fte_app;
        REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM fte_app;
    END IF;
END
$$;
