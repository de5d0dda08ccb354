CREATE OR REPLACE TEMP MACRO slashed_time(t) AS
    CASE WHEN regexp_full_match(t,
        '\d{1,2}/\d{1,2}/(19|20|21)\d\d, \d{1,2}:[0-5]\d:[0-5]\d(\.\d{3})? [AP]M')
    THEN CAST(TRY_STRPTIME(t, ['%-m/%-d/%Y, %-I:%M:%S %p', '%-m/%-d/%Y, %-I:%M:%S.%g %p'])
        AS TIMESTAMP_NS) END;

-- A time as Microsoft writes it → UTC to 100 ns, or NULL where it is none of the accepted forms.
-- DuckDB keeps offsets only to the microsecond, so the seventh digit is added by hand. The years are
-- those that fit into nanoseconds: one time beyond them would fail the whole query.
CREATE OR REPLACE TEMP MACRO utc_time(t, zoneless_utc) AS CASE
    WHEN (zoneless_utc OR ends_with(t, 'Z')) AND regexp_full_match(t,
        '(19|20|21)\d\d-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?Z?')
    THEN TRY_CAST(t AS TIMESTAMP_NS)
    WHEN regexp_full_match(t,
        '(19|20|21)\d\d-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?[+-]([01]\d|2[0-3]):[0-5]\d')
    THEN make_timestamp_ns(1000 * epoch_us(TRY_CAST(t AS TIMESTAMPTZ)) + CASE
        WHEN regexp_matches(t, '\.\d{7}') THEN 100 * CAST(substr(t, 27, 1) AS BIGINT) ELSE 0 END)
    WHEN zoneless_utc THEN slashed_time(t) END;

-- How many digits of a second the time was written with, as far as they tell times apart.
CREATE OR REPLACE TEMP MACRO digits(t) AS CAST(least(9, CASE
    WHEN substr(t, 20, 1) = '.' AND ends_with(t, 'Z') THEN length(t) - 21
    ELSE length(regexp_extract(t, '\.(\d+)', 1)) END) AS UTINYINT);

-- A slashed time that can only be day-first.
CREATE OR REPLACE TEMP MACRO day_first(t) AS
    TRY_CAST(regexp_extract(t, '^(\d{1,2})/\d{1,2}/\d{4}', 1) AS INTEGER) > 12;

CREATE OR REPLACE TEMP MACRO filled(t) AS NULLIF(t, '');

-- A user principal name as it is compared; trim takes long.
CREATE OR REPLACE TEMP MACRO upn_key(t) AS
    filled(lower(CASE WHEN contains(t, ' ') THEN trim(t) ELSE t END));

-- The target that is a person: the first user, else the only kind of target there is.
CREATE OR REPLACE TEMP MACRO user_target(targets) AS CASE
    WHEN lower(targets[1].type) = 'user' THEN targets[1]
    ELSE COALESCE(
        list_filter(targets, lambda t: lower(t.type) = 'user')[1],
        list_filter(targets, lambda t: t.userPrincipalName <> '')[1],
        list_filter(targets, lambda t: t.type IS NULL)[1]) END;

CREATE OR REPLACE TEMP MACRO detail(details, name) AS
    filled(list_filter(details, lambda d: lower(trim(d.key)) = name AND trim(d.value) <> '')[1].value);

-- Why a record with a time that cannot be read is skipped.
CREATE OR REPLACE TEMP MACRO time_fault(t, zoneless_utc) AS CASE
    WHEN filled(t) IS NULL THEN 'no time'
    WHEN zoneless_utc AND day_first(t) THEN 'day-first date'
    ELSE 'time not understood' END;

-- A JSON text → a struct. One text that is no JSON would fail the whole query without TRY.
CREATE OR REPLACE TEMP MACRO as_struct(text, shape) AS TRY(json_transform(text, shape));

CREATE OR REPLACE TEMP MACRO no_json(text, struct) AS
    CASE WHEN struct IS NULL THEN NOT json_valid(text) ELSE false END;

-- Out of a value of the wrong shape comes NULL, or a struct that holds nothing but NULL, and nobody
-- complains. Where something was `said` and nothing is `known` of it, look what it is. CASE keeps
-- this off all other rows.
CREATE OR REPLACE TEMP MACRO misshapen(text, path, said, known, wanted) AS
    CASE WHEN said IS NULL OR known IS NOT NULL THEN false
    ELSE json_type(text, path) <> wanted END;

-- Of no list comes NULL, as where none is.
CREATE OR REPLACE TEMP MACRO misshapen_list(text, path, items) AS
    CASE WHEN items IS NULL THEN json_type(text, path) NOT IN ('NULL', 'ARRAY') ELSE false END;

-- The same for a column that holds JSON as text.
CREATE OR REPLACE TEMP MACRO misshapen_text(value, known, wanted) AS
    CASE WHEN known IS NOT NULL OR filled(value) IS NULL THEN false
    WHEN json_valid(value) THEN json_type(value) NOT IN ('NULL', wanted)
    ELSE true END;

CREATE OR REPLACE TEMP MACRO any_user(u) AS COALESCE(u.id, u.userPrincipalName, u.ipAddress);
CREATE OR REPLACE TEMP MACRO any_app(a) AS COALESCE(a.appId, a.displayName);
CREATE OR REPLACE TEMP MACRO any_target(t) AS COALESCE(t.id, t.type, t.userPrincipalName);
CREATE OR REPLACE TEMP MACRO any_detail(d) AS COALESCE(d.key, d.value);

-- What is read of a Graph record, wherever in the text it stands.
CREATE OR REPLACE TEMP MACRO graph_shape() AS '{
    "id": "VARCHAR", "activityDateTime": "VARCHAR", "activityDisplayName": "VARCHAR",
    "resultReason": "VARCHAR", "result": "VARCHAR", "loggedByService": "VARCHAR",
    "correlationId": "VARCHAR",
    "initiatedBy": {
        "user": {"id": "VARCHAR", "userPrincipalName": "VARCHAR", "ipAddress": "VARCHAR"},
        "app": {"appId": "VARCHAR", "displayName": "VARCHAR"}},
    "targetResources": [{"id": "VARCHAR", "type": "VARCHAR", "userPrincipalName": "VARCHAR"}],
    "additionalDetails": [{"key": "VARCHAR", "value": "VARCHAR"}]}';

-- What is misshapen in the record of that shape that stands at `path` of the text.
CREATE OR REPLACE TEMP MACRO graph_fault(text, path, r) AS CASE
    WHEN misshapen(text, path || '.initiatedBy', r.initiatedBy,
        COALESCE(any_user(r.initiatedBy.user), any_app(r.initiatedBy.app)), 'OBJECT')
        THEN 'initiatedBy is not an object'
    WHEN misshapen(text, path || '.initiatedBy.user', r.initiatedBy.user,
        any_user(r.initiatedBy.user), 'OBJECT') THEN 'initiatedBy.user is not an object'
    WHEN misshapen(text, path || '.initiatedBy.app', r.initiatedBy.app,
        COALESCE(any_user(r.initiatedBy.user), any_app(r.initiatedBy.app)), 'OBJECT')
        THEN 'initiatedBy.app is not an object'
    WHEN misshapen_list(text, path || '.targetResources', r.targetResources)
        THEN 'targetResources is not a list'
    WHEN misshapen_list(text, path || '.additionalDetails', r.additionalDetails)
        THEN 'additionalDetails is not a list'
    WHEN misshapen(text, path || '.targetResources[0]', r.targetResources[1],
        any_target(r.targetResources[1]), 'OBJECT') THEN 'targetResources holds no objects'
    WHEN misshapen(text, path || '.additionalDetails[0]', r.additionalDetails[1],
        any_detail(r.additionalDetails[1]), 'OBJECT') THEN 'additionalDetails holds no objects'
    END;

-- An id as it is compared; NULL for what is none, be it zeros or the words put in place of one.
CREATE OR REPLACE TEMP MACRO guid_key(t) AS
    CASE WHEN regexp_full_match(t, '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}')
        AND t <> '00000000-0000-0000-0000-000000000000' THEN lower(t) END;

-- How a device belongs to the tenant: sign-ins say it in words that have changed with the product's
-- name, the directory in others.
CREATE OR REPLACE TEMP MACRO trust_of(t) AS CASE
    WHEN lower(t) = 'serverad' OR lower(t) LIKE 'hybrid % joined' THEN 'hybrid'
    WHEN lower(t) = 'azuread' OR lower(t) IN ('azure ad joined', 'microsoft entra joined')
        THEN 'joined'
    WHEN lower(t) = 'workplace' OR lower(t) LIKE '% registered' THEN 'registered' END;

-- The form of a sign-in. To look for a word in a text costs far less than to parse it.
CREATE OR REPLACE TEMP MACRO sign_in_form(body) AS CASE
    WHEN CASE WHEN contains(body, '"properties"') THEN json_type(body, '$.properties') = 'OBJECT' END
        THEN 'diagnostic'
    WHEN CASE WHEN contains(body, '"TimeGenerated"') THEN json_type(body, '$.createdDateTime') IS NULL END
        THEN 'log_analytics'
    ELSE 'graph' END;
