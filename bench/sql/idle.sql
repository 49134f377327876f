CREATE FUNCTION for_event(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go');
END $$;

CREATE FUNCTION for_timer(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_create_timer('1 day');
	RETURN input;
END $$;

CREATE FUNCTION for_either(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_for_external_event('go', '1 day');
END $$;
