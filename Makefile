# durable_singleton: PGXS build.  `make`, `make install`, `make installcheck`
# (the last as an ordinary user; ./test does all of it on a bare machine).

MODULE_big = durable_singleton
EXTENSION = durable_singleton
DATA = $(wildcard durable_singleton--*.sql)
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
PGFILEDESC = "durable_singleton - durable singleton orchestrations"

TESTS = $(wildcard sql/*.sql)
REGRESS = $(patsubst sql/%.sql,%,$(sort $(TESTS)))
ISOLATION = $(patsubst specs/%.spec,%,$(sort $(wildcard specs/*.spec)))
TAP_TESTS = 1

# The workers need shared_preload_libraries, hence servers of our own.
REGRESS_OPTS = --temp-config=./test.conf --temp-instance=./tmp_regress --no-locale
ISOLATION_OPTS = --temp-config=./test.conf --temp-instance=./tmp_iso --no-locale --load-extension=durable_singleton

EXTRA_CLEAN = tmp_regress tmp_iso tmp_check output_iso results regression.diffs regression.out

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

# Server headers are somebody else's: -isystem keeps -Wextra to our code.
override CPPFLAGS := -Isrc $(patsubst -I%,-isystem %,$(CPPFLAGS))
override CFLAGS += -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare -Wno-missing-field-initializers

$(OBJS): $(wildcard src/*.h)
