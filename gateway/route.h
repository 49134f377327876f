/*
 * route.h
 *	  Finds the operation for a method and a path.
 */
#ifndef GW_ROUTE_H
#define GW_ROUTE_H

#include "target.h"

typedef enum Operation
{
	OP_NONE,					/* 404 */
	OP_START,
	OP_START_SINGLETON,
	OP_STATUS,
	OP_LIST,
	OP_PURGE,
	OP_PURGE_BY,
	OP_RAISE_EVENT,
	OP_TERMINATE,
	OP_SUSPEND,
	OP_RESUME,
	OP_REWIND,
	OP_RESTART
} Operation;

/* Segments of the path, not decoded; the length of an absent one is 0. */
typedef struct Route
{
	Operation	operation;
	Slice		function;
	Slice		instance;
	Slice		event;
} Route;

extern Route route_find(const char *method, Slice path);

#endif
