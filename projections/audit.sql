-- Who did what at the console, in the settings file and by the switch itself: one row an act.
CREATE TABLE IF NOT EXISTS entry (
    position     bigint PRIMARY KEY,
    at           timestamptz NOT NULL,
    -- A sign-in name; settings or switch where no person did it.
    who          text NOT NULL,
    person       boolean NOT NULL,
    role         text NOT NULL DEFAULT '',
    action       text NOT NULL,
    -- provider, utility, meter, message, operator, list, access, file, decision, settlement, process,
    -- report.
    object_type  text NOT NULL,
    object_id    text NOT NULL,
    -- What the object was called then; of a meter, what flows through it.
    object_name  text NOT NULL DEFAULT '',
    -- Only what changed: null where it changed nothing.
    before       jsonb,
    after        jsonb,
    -- The network address; of what the switch did itself, the process.
    address      text NOT NULL DEFAULT '',
    page         text NOT NULL DEFAULT '',
    comment      text NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS entry_by_time ON entry (at, position);
CREATE INDEX IF NOT EXISTS entry_by_people ON entry (at, position) WHERE person;
CREATE INDEX IF NOT EXISTS entry_by_who ON entry (who, at, position);
CREATE INDEX IF NOT EXISTS entry_by_who_and_action ON entry (who, action, at, position);
-- Of people apart: what the switch does by itself can be far more, and is mostly left out.
CREATE INDEX IF NOT EXISTS entry_by_action ON entry (action, at, position);
CREATE INDEX IF NOT EXISTS entry_by_action_of_people ON entry (action, at, position) WHERE person;
CREATE INDEX IF NOT EXISTS entry_by_object ON entry (object_type, at, position);
CREATE INDEX IF NOT EXISTS entry_by_object_of_people ON entry (object_type, at, position)
    WHERE person;
CREATE INDEX IF NOT EXISTS entry_by_object_id ON entry ((lower(object_id) COLLATE "C"));

-- Each object's present values by what they are of, so that the next change knows what was before.
CREATE TABLE IF NOT EXISTS present (
    stream text NOT NULL,
    aspect text NOT NULL,
    value  jsonb NOT NULL,
    PRIMARY KEY (stream, aspect)
);
