-- The admin center's CSV download. It carries no event id and at most three targets and six
-- additional details; `batch` has its columns by their English names.
WITH named AS (
    SELECT *,
        user_target([
            {'id': "Target1ObjectId", 'type': filled("Target1Type"),
                'userPrincipalName': "Target1UserPrincipalName"},
            {'id': "Target2ObjectId", 'type': filled("Target2Type"),
                'userPrincipalName': "Target2UserPrincipalName"},
            {'id': "Target3ObjectId", 'type': filled("Target3Type"),
                'userPrincipalName': "Target3UserPrincipalName"}]) AS target,
        [{'key': "AdditionalDetail1Key", 'value': "AdditionalDetail1Value"},
         {'key': "AdditionalDetail2Key", 'value': "AdditionalDetail2Value"},
         {'key': "AdditionalDetail3Key", 'value': "AdditionalDetail3Value"},
         {'key': "AdditionalDetail4Key", 'value': "AdditionalDetail4Value"},
         {'key': "AdditionalDetail5Key", 'value': "AdditionalDetail5Value"},
         {'key': "AdditionalDetail6Key", 'value': "AdditionalDetail6Value"}] AS details,
        -- The word is localized, but applications begin with "Ap" wherever it was seen.
        COALESCE("ActorType", '') ILIKE 'ap%' AS by_app
    FROM batch)
SELECT
    seq, file, place, text,
    CAST(NULL AS VARCHAR)                       AS record_id,
    "Date (UTC)"                                AS time_text,
    filled("Activity")                          AS activity,
    filled("ResultReason")                      AS reason,
    lower(filled("Result"))                     AS result,
    filled("Service")                           AS service,
    filled("CorrelationId")                     AS correlation_id,
    filled("IPAddress")                         AS ip_text,
    detail(details, 'clienttype')               AS client_type,
    detail(details, 'onpremisesagent')          AS agent,
    CASE WHEN NOT by_app THEN filled("ActorObjectId") END AS initiator_id,
    CASE WHEN NOT by_app THEN filled("ActorUserPrincipalName") END AS initiator_upn,
    CASE WHEN by_app THEN COALESCE(filled("ActorDisplayName"), filled("ActorObjectId")) END
                                                AS initiator_app,
    filled(target.id)                           AS target_id,
    filled(target.userPrincipalName)            AS target_upn,
    CAST(NULL AS VARCHAR)                       AS tenant_id,
    CAST(NULL AS VARCHAR)                       AS fault,
    true                                        AS fits
FROM named
