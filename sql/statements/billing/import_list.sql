-- Answers: the files one journal record imports, typed.
-- Grain: one row per file.
-- Reads: nothing but $files.
CREATE OR REPLACE TEMP TABLE import_list AS
SELECT
    CAST(f.hour AS TIMESTAMP) AS hour,
    f.partition,
    f.revision,
    f.data_sha256,
    f.certificate_sha256,
    f.too_old,
    f.path,
    f.certificate
FROM (
    SELECT unnest(from_json(
        CAST($files AS JSON),
        '[{"hour":"VARCHAR","partition":"VARCHAR","revision":"INTEGER","data_sha256":"VARCHAR",'
        || '"certificate_sha256":"VARCHAR","too_old":"BOOLEAN","path":"VARCHAR",'
        || '"certificate":"VARCHAR"}]'
    )) AS f
);
