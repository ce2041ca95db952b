-- Leads, and whom the lead receiver takes them from (wire.md part C).

-- What LeadExec calls a vendor or a lead source: an account that has none takes leads from any.
CREATE TABLE lead_sources (
    vid        INTEGER NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    enabled    INTEGER NOT NULL
) STRICT;
CREATE INDEX lead_sources_of_account ON lead_sources (account_id);

-- `criteria` is JSON; `daily_cap` is for a day of UTC.
CREATE TABLE campaigns (
    aid       INTEGER NOT NULL PRIMARY KEY,
    vid       INTEGER NOT NULL REFERENCES lead_sources (vid) ON DELETE CASCADE,
    lead_type INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    enabled   INTEGER NOT NULL,
    daily_cap INTEGER,
    criteria  TEXT    NOT NULL
) STRICT;
CREATE INDEX campaigns_of_source ON campaigns (vid);

-- The number of an account's newest lead. Who posts leads holds its row, so that posts to one account take turns.
CREATE TABLE lead_numbers (
    account_id TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    newest     INTEGER NOT NULL
) STRICT;

-- Leads that were taken. They outlive the application and the campaign that they name, and not their account.
CREATE TABLE leads (
    id          BLOB    NOT NULL PRIMARY KEY,
    account_id  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    lead_type   INTEGER NOT NULL,
    vid         INTEGER NOT NULL,
    aid         INTEGER,
    app_id      TEXT,
    properties  TEXT    NOT NULL,
    fields      TEXT    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE INDEX leads_of_type ON leads (account_id, lead_type, received_at, id);
CREATE INDEX leads_by_time ON leads (received_at, id);
CREATE INDEX leads_of_campaign ON leads (account_id, aid, received_at) WHERE aid IS NOT NULL;

-- What no second lead of the type may have: a hash of the field and its value.
CREATE TABLE lead_unique_values (
    account_id TEXT    NOT NULL,
    lead_type  INTEGER NOT NULL,
    value_hash BLOB    NOT NULL,
    lead_id    BLOB    NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, lead_type, value_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX lead_unique_values_of_lead ON lead_unique_values (lead_id);
