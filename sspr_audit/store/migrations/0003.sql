-- The service's own id of a context record: of several texts with one id, the last to come stays.
ALTER TABLE context ADD COLUMN key VARCHAR;

-- What became of each context collection when it was last asked for.
CREATE TABLE collections (
    collection  VARCHAR PRIMARY KEY,
    came_utc    TIMESTAMP,          -- when it last came whole; NULL for never
    records     BIGINT,             -- that came then
    tried_utc   TIMESTAMP NOT NULL,
    skipped     VARCHAR);           -- why it did not come at tried_utc; NULL where it did

-- Whose sign-ins of which time are in the store. Without a row they are unknown, not absent.
CREATE TABLE followed (
    person      VARCHAR NOT NULL,   -- as in events
    start_utc   TIMESTAMP NOT NULL, -- the end of a flow
    end_utc     TIMESTAMP NOT NULL, -- how far its sign-ins matter
    asked_utc   TIMESTAMP NOT NULL);

-- Intune profiles and policies that say whether the sign-in screen shows the reset link.
CREATE TABLE reset_links (
    collection  VARCHAR NOT NULL,
    id          VARCHAR NOT NULL,
    name        VARCHAR,
    value       VARCHAR NOT NULL);  -- on, off, masked, or what stands there
