/*
 * fuzz_target.c
 *	  A libFuzzer target for the parser of request targets and the router.
 *
 *	make fuzz && ./fuzz_target corpus/
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "route.h"
#include "target.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Decoding never adds bytes, and leaves a slice without a percent sign alone.
 */
static void
check_decoded(Slice slice, Text text)
{
	assert(text.length <= slice.length);
	assert(text.data[text.length] == '\0');
	if (slice.length > 0 && memchr(slice.start, '%', slice.length) == NULL)
		assert(text.length == slice.length &&
			   memcmp(text.data, slice.start, slice.length) == 0);
	free(text.data);
}

static bool
within(Slice slice, const char *text)
{
	return slice.length == 0 ||
		(slice.start >= text &&
		 slice.start + slice.length <= text + strlen(text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = {"GET", "POST", "DELETE", "PUT"};
	char	   *text = gw_strndup((const char *) data, size);
	Target		target;

	(void) target_is_clean(text);
	if (target_parse(text, &target))
	{
		char	   *url = target_url(&target, "http://localhost");

		assert(within(target.path, text));
		assert(strlen(url) >= strlen(target.text));
		free(url);
		for (int i = 0; i < 4; i++)
		{
			Route		route = route_find(methods[i], target.path);

			assert(within(route.function, text));
			assert(within(route.instance, text));
			assert(within(route.event, text));
			assert(route.operation == OP_NONE || i != 3);
			check_decoded(route.function, target_decode(route.function));
			check_decoded(route.instance, target_decode(route.instance));
			check_decoded(route.event, target_decode(route.event));
		}
	}
	free(text);
	return 0;
}
