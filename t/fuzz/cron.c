/*
 * cron.c
 *	  A libFuzzer target for the parser of cron expressions.
 *
 * ./test fuzz_cron builds it and runs it for some seconds.
 */
#include "postgres.h"

#include "base/cron.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Only values of the field are in the mask, and one at least. */
static bool
within(uint64 mask, int low, int high)
{
	uint64		field = (~UINT64CONST(0) >> (63 - high)) & (~UINT64CONST(0) << low);

	return mask != 0 && (mask & ~field) == 0;
}

static void
require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char	   *text = malloc(size + 1);
	DsCron		cron;
	DsCronError error = {-1};

	memcpy(text, data, size);
	text[size] = '\0';
	if (!ds_cron_parse(text, &cron, &error))
	{
		require(error.position >= 0 && error.position <= strlen(text) + 1);
		require(error.message != NULL && error.message[0] != '\0');
	}
	else if (cron.interval_at > 0)
		require(cron.interval_at < strlen(text));
	else
	{
		require(strlen(text) <= DS_CRON_MAX_LENGTH);
		require(within(cron.seconds, 0, 59));
		require(within(cron.minutes, 0, 59));
		require(within(cron.hours, 0, 23));
		require(cron.last_day || within(cron.days, 1, 31));
		require(within(cron.months, 1, 12));
		for (int i = 0; i < DS_CRON_DAYS_PER_WEEK; i++)
			require(cron.weekdays[i] < 64);
	}
	free(text);
	return 0;
}
