SELECT df_start_singleton('wait_event', 'hot', '{"n": 1}');
