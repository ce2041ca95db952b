-- Names what a row of apps holds: whoever remembers the row asks whether it is still this one. Each change makes another,
-- whoever makes it; a copy that is put back brings its own. To hold a row is to set its id to itself, and no change.
ALTER TABLE apps ADD COLUMN revision BLOB NOT NULL DEFAULT x'';
UPDATE apps SET revision = randomblob(16);
CREATE TRIGGER apps_begun AFTER INSERT ON apps WHEN NEW.revision = x'' BEGIN
    UPDATE apps SET revision = randomblob(16) WHERE id = NEW.id;
END;
CREATE TRIGGER apps_revised
    AFTER UPDATE OF name, publisher, homepage, owner_id, auth_method, grant_types, redirect_uris, post_logout_redirect_uris,
        scopes, resources, jwks, access_token_alg, id_token_alg, requires_dpop, requires_par, logo, disabled_at, created_at,
        client_secret_hash, previous_secret_hash, previous_secret_expires_at, registration_secret_hash
    ON apps BEGIN
    UPDATE apps SET revision = randomblob(16) WHERE id = NEW.id;
END;
