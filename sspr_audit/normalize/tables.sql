-- What every form is brought to: one row a record, values as written. `facts` counts the columns
-- that hold something, so that of two records of one event the fuller can stay.
CREATE TABLE IF NOT EXISTS audit (
    file            INTEGER,
    place           BIGINT,
    record_id       VARCHAR,
    has_id          BOOLEAN,
    time_utc        TIMESTAMP_NS,
    digits          UTINYINT,
    activity        VARCHAR,
    reason          VARCHAR,
    result          VARCHAR,
    service         VARCHAR,
    correlation_id  VARCHAR,
    ip_text         VARCHAR,
    client_type     VARCHAR,
    agent           VARCHAR,
    initiator_id    VARCHAR,
    initiator_upn   VARCHAR,
    initiator_app   VARCHAR,
    target_id       VARCHAR,
    target_upn      VARCHAR,
    tenant_id       VARCHAR,
    facts           UTINYINT);
