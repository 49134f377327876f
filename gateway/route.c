/*
 * route.c
 *	  Finds the operation for a method and a path.
 *
 * Words are not case-sensitive, and trailing slashes are ignored.  Entities and
 * all other paths have no operation and get a 404 without a body.
 */
#include "route.h"

#include <string.h>

#define MAX_SEGMENTS	5

typedef struct Segments
{
	int			n;				/* -1: too many */
	Slice		s[MAX_SEGMENTS];
} Segments;

static Segments
split(Slice path)
{
	Segments	result = {0};
	Slice		rest = target_trim_slashes(path);
	Slice		segment;

	if (rest.length == 0)
		return result;
	while (target_next_segment(&rest, &segment))
	{
		if (result.n == MAX_SEGMENTS)
		{
			result.n = -1;
			break;
		}
		result.s[result.n++] = segment;
	}
	return result;
}

/* The operations named by the last word of a POST. */
static Operation
control_operation(Slice word)
{
	static const struct
	{
		const char *word;
		Operation	operation;
	}			words[] = {
		{"terminate", OP_TERMINATE},
		{"suspend", OP_SUSPEND},
		{"resume", OP_RESUME},
		{"rewind", OP_REWIND},
		{"restart", OP_RESTART},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (slice_is(word, words[i].word))
			return words[i].operation;
	}
	return OP_NONE;
}

/* orchestrators/{functionName}/{instanceId?} */
static Route
orchestrators(const char *method, const Segments *path, bool singleton)
{
	Route		route = {0};

	if (strcmp(method, "POST") != 0 || path->n < 2 || path->n > 3 ||
		(singleton && path->n < 3) ||
		path->s[1].length == 0 || (path->n == 3 && path->s[2].length == 0))
		return route;
	route.operation = singleton ? OP_START_SINGLETON : OP_START;
	route.function = path->s[1];
	if (path->n == 3)
		route.instance = path->s[2];
	return route;
}

/* instances and what is below */
static Route
instances(const char *method, const Segments *path)
{
	Route		route = {0};
	bool		get = strcmp(method, "GET") == 0;
	bool		post = strcmp(method, "POST") == 0;
	bool		delete = strcmp(method, "DELETE") == 0;

	if (path->n == 1)
	{
		route.operation = get ? OP_LIST : delete ? OP_PURGE_BY : OP_NONE;
		return route;
	}
	route.instance = path->s[1];
	if (route.instance.length == 0)
		return route;
	if (path->n == 2)
		route.operation = get ? OP_STATUS : delete ? OP_PURGE : OP_NONE;
	else if (path->n == 3 && post)
		route.operation = control_operation(path->s[2]);
	else if (path->n == 4 && post && slice_is(path->s[2], "raiseEvent") &&
			 path->s[3].length > 0)
	{
		route.operation = OP_RAISE_EVENT;
		route.event = path->s[3];
	}
	return route;
}

Route
route_find(const char *method, Slice path)
{
	Segments	segments;
	bool		api = false;

	if (!target_skip_prefix(&path, "/runtime/webhooks/durabletask") &&
		!target_skip_prefix(&path, "/durabletask"))
	{
		api = target_skip_prefix(&path, "/api");
		if (!api)
			return (Route) {0};
	}
	segments = split(path);
	if (segments.n >= 1 && slice_is(segments.s[0], "orchestrators"))
		return orchestrators(method, &segments, api);
	if (segments.n >= 1 && slice_is(segments.s[0], "instances") && !api)
		return instances(method, &segments);
	return (Route) {0};
}
