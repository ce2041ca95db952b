-- Leads, and whom the lead receiver takes them from (wire.md part C).

-- What LeadExec calls a vendor or a lead source: an account that has none takes leads from any.
CREATE TABLE lead_sources (
    vid        BIGINT  NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    enabled    BIGINT  NOT NULL
);
CREATE INDEX lead_sources_of_account ON lead_sources (account_id);

-- `criteria` is JSON; `daily_cap` is for a day of UTC.
CREATE TABLE campaigns (
    aid       BIGINT  NOT NULL PRIMARY KEY,
    vid       BIGINT  NOT NULL REFERENCES lead_sources (vid) ON DELETE CASCADE,
    lead_type BIGINT  NOT NULL,
    name      TEXT    NOT NULL,
    enabled   BIGINT  NOT NULL,
    daily_cap BIGINT,
    criteria  TEXT    NOT NULL
);
CREATE INDEX campaigns_of_source ON campaigns (vid);

-- The number of an account's newest lead. Who posts leads holds its row, so that posts to one account take turns.
CREATE TABLE lead_numbers (
    account_id TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    newest     BIGINT  NOT NULL
);

-- Leads that were taken. They outlive the application and the campaign that they name, and not their account.
CREATE TABLE leads (
    id          UUID    NOT NULL PRIMARY KEY,
    account_id  TEXT    NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    number      BIGINT  NOT NULL,
    lead_type   BIGINT  NOT NULL,
    vid         BIGINT  NOT NULL,
    aid         BIGINT,
    app_id      TEXT,
    properties  TEXT    NOT NULL,
    fields      TEXT    NOT NULL,
    received_at BIGINT  NOT NULL
);
CREATE INDEX leads_of_type ON leads (account_id, lead_type, received_at, id);
CREATE INDEX leads_by_time ON leads (received_at, id);
CREATE INDEX leads_of_campaign ON leads (account_id, aid, received_at) WHERE aid IS NOT NULL;

-- What no second lead of the type may have: a hash of the field and its value.
CREATE TABLE lead_unique_values (
    account_id TEXT    NOT NULL,
    lead_type  BIGINT  NOT NULL,
    value_hash BYTEA   NOT NULL,
    lead_id    UUID    NOT NULL REFERENCES leads (id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, lead_type, value_hash)
);
CREATE INDEX lead_unique_values_of_lead ON lead_unique_values (lead_id);
