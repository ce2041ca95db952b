-- Names what a row of apps holds: whoever remembers the row asks whether it is still this one. Each change makes another,
-- whoever makes it; a copy that is put back brings its own.
ALTER TABLE apps ADD COLUMN revision UUID NOT NULL DEFAULT gen_random_uuid();
CREATE FUNCTION apps_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision := gen_random_uuid();
    RETURN NEW;
END
$$;
CREATE TRIGGER apps_revised BEFORE UPDATE ON apps
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION apps_revised();
-- Also for a session that takes part in replication, where triggers rest.
ALTER TABLE apps ENABLE ALWAYS TRIGGER apps_revised;
