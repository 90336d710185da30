-- The moment, in UTC, at which the clocks of an account's time zone first show a time; where they jump over
-- it, the moment of the jump; NULL where the zone is no account's.
-- Grain: one value per call.
-- Reads: zone_offsets, under names that no argument can mean.
-- Read by: people (edgetoll sql), sql/views/focus.sql.
CREATE MACRO utc_of_local(time_zone, shown) AS
    (
        SELECT
            coalesce(
                min(shown - to_seconds(_o._offset))
                    FILTER (shown - to_seconds(_o._offset) >= _o._from AND shown - to_seconds(_o._offset) < _o._until),
                min(_o._from) FILTER (shown - to_seconds(_o._offset) < _o._from)
            )
        FROM (
            SELECT _q.zone AS _zone, _q.from_utc AS _from, _q.until_utc AS _until, _q.offset_seconds AS _offset
            FROM zone_offsets AS _q
        ) AS _o
        WHERE _o._zone = time_zone
    )
