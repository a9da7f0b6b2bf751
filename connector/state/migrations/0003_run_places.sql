-- Where a run was started or resumed last. Jobs in different folders can have outputs of the same name.
ALTER TABLE connector_run ADD COLUMN machine text;
ALTER TABLE connector_run ADD COLUMN path text;
