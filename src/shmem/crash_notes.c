/*-------------------------------------------------------------------------
 *
 * crash_notes.c
 *	  Notes about the current work of each runner, which survive a crash.
 *
 * When a process with shared memory crashes, the postmaster discards shared
 * memory.  The work of the process must be known afterwards, so that an
 * instance which crashes its runner does not do so forever (crashes.c).  So a
 * runner notes its claim in a file that is mapped into memory: a few stores
 * for each claim, no system call, and the kernel keeps them when the process
 * dies.
 *
 * A runner whose note is still set after a restart is taken to have crashed.
 * The note is not set when
 *	- the runner has released its claim, or has exited in order;
 *	- it was not the one that crashed: the postmaster tells all others to
 *	  quit (SIGQUIT), and they clear their notes first.  They do so at an
 *	  immediate shutdown, too;
 *	- the machine itself was restarted, see boot_id().
 * It is set by mistake when another process could not clear it, because it had
 * SIGQUIT blocked and was killed five seconds later, or when the process was
 * killed with SIGKILL.  One such mistake is harmless: only consecutive crashes
 * of the same step count.
 *
 * The file is in pg_stat_tmp, whose contents base backups and pg_rewind skip.
 * It is neither flushed nor read while the server runs.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/file_perm.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "storage/fd.h"
#include "storage/pmsignal.h"
#include "tcop/tcopprot.h"
#include "utils/timestamp.h"

#include "base/no_time.h"
#include "shmem/crash_notes.h"

#define NOTES_FILE		PG_STAT_TMP_DIR "/durable_singleton.crash_notes"
#define NOTES_MAGIC		0x44536e31
/* The maximum number of backends in PostgreSQL. */
#define MAX_NOTES		0x3FFFF
#define BOOT_ID_FILE	"/proc/sys/kernel/random/boot_id"

/* The beginning of the file; the notes follow. */
typedef struct NotesHeader
{
	uint32		magic;
	uint32		note_size;
	uint32		n;
	char		boot_id[40];
} NotesHeader;

#define NOTES_OFFSET	MAXALIGN(sizeof(NotesHeader))
#define NOTES_SIZE(n)	(NOTES_OFFSET + (Size) (n) * sizeof(DsCrashNote))

DsCrashNote *ds_crash_notes = NULL;
DsCrashNote *ds_my_crash_note = NULL;

static void map_notes(int n);
static bool make_file(int fd, Size size);
static DsCrashNote *read_file(const char *boot_id, int *n);
static bool is_sane(DsCrashNote *note);
static void boot_id(char *id, Size size);
static void bystander(void);

int
ds_crash_notes_startup(int n)
{
	/* the mapping belongs to the postmaster, and survives shared memory */
	bool		mapped = ds_crash_notes != NULL;
	TimestampTz now = GetCurrentTimestamp();
	NotesHeader header = {.magic = NOTES_MAGIC,.note_size = sizeof(DsCrashNote)};
	DsCrashNote *old;
	int			n_old = n;
	int			n_crashed = 0;

	boot_id(header.boot_id, sizeof(header.boot_id));
	header.n = n;
	if (mapped)
	{
		old = palloc(n * sizeof(DsCrashNote));
		memcpy(old, ds_crash_notes, n * sizeof(DsCrashNote));
	}
	else
	{
		old = read_file(header.boot_id, &n_old);
		map_notes(n);
	}
	memset(ds_crash_notes, 0, n * sizeof(DsCrashNote));
	memcpy((char *) ds_crash_notes - NOTES_OFFSET, &header, sizeof(header));

	for (int i = 0; i < n_old && n_crashed < n; i++)
	{
		if (!is_sane(&old[i]))
			continue;

		/*
		 * in case it is counted and the next crash follows at once: count it
		 * once
		 */
		if (old[i].crash_time == DS_NO_TIME)
			old[i].crash_time = now;
		ds_crash_notes[n_crashed++] = old[i];
	}
	if (old != NULL)
		pfree(old);
	return n_crashed;
}

/*
 * If the file cannot be created, use memory that is not shared memory: it
 * survives a crash as long as the postmaster does.
 */
static void
map_notes(int n)
{
	Size		size = NOTES_SIZE(n);
	char	   *memory = MAP_FAILED;
	int			fd = BasicOpenFile(NOTES_FILE, O_RDWR | O_CREAT | PG_BINARY);

	if (fd >= 0 && make_file(fd, size))
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not set up file \"%s\": %m", NOTES_FILE),
				 errdetail("Crashes that end the whole server will not be counted.")));
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	}
	if (memory == MAP_FAILED)
		ereport(FATAL,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not map %zu bytes of memory: %m", size)));
	if (fd >= 0)
		close(fd);
	ds_crash_notes = (DsCrashNote *) (memory + NOTES_OFFSET);
}

/*
 * Gives the file its size, with all of its blocks allocated: a store to a
 * block for which the disk has no room would be a crash.
 */
static bool
make_file(int fd, Size size)
{
	PGAlignedBlock zeros = {0};

	for (Size written = 0; written < size;)
	{
		ssize_t		n = pg_pwrite(fd, zeros.data,
								  Min(size - written, sizeof(zeros)), written);

		if (n <= 0)
		{
			if (n < 0 && errno == EINTR)
				continue;
			if (n == 0)
				errno = ENOSPC;
			return false;
		}
		written += n;
	}
	return ftruncate(fd, size) == 0;
}

/* The notes of the previous server, or NULL. */
static DsCrashNote *
read_file(const char *boot_id, int *n)
{
	NotesHeader header;
	DsCrashNote *notes = NULL;
	int			fd = BasicOpenFile(NOTES_FILE, O_RDONLY | PG_BINARY);

	*n = 0;
	if (fd < 0)
		return NULL;
	if (read(fd, &header, sizeof(header)) == sizeof(header) &&
		header.magic == NOTES_MAGIC &&
		header.note_size == sizeof(DsCrashNote) && header.n <= MAX_NOTES &&
		strncmp(header.boot_id, boot_id, sizeof(header.boot_id)) == 0)
	{
		Size		size = header.n * sizeof(DsCrashNote);

		notes = palloc(size);
		if (pg_pread(fd, notes, size, NOTES_OFFSET) == size)
			*n = header.n;
	}
	close(fd);
	return notes;
}

/* A crashing process may have written anything, so its note is checked. */
static bool
is_sane(DsCrashNote *note)
{
	note->instance_id[DS_MAX_ID_LENGTH] = '\0';
	note->function_name[DS_MAX_ID_LENGTH] = '\0';
	return note->claimed && note->instance_id[0] != '\0' && note->seq >= 0 &&
		OidIsValid(note->database) && OidIsValid(note->role);
}

/*
 * Identifies this run of the operating system.  After a power failure, the
 * contents of the file do not tell which step caused it.  Empty if the system
 * has no such identifier.
 */
static void
boot_id(char *id, Size size)
{
	int			fd = BasicOpenFile(BOOT_ID_FILE, O_RDONLY);

	memset(id, 0, size);
	if (fd < 0)
		return;
	if (read(fd, id, size - 1) < 0)
		id[0] = '\0';
	close(fd);
}

void
ds_crash_notes_worker_handler(SIGNAL_ARGS)
{
	bystander();
	SignalHandlerForCrashExit(postgres_signal_arg);
}

void
ds_crash_notes_session_handler(SIGNAL_ARGS)
{
	bystander();
	quickdie(postgres_signal_arg);
}

/* A step that sends the signal to its own process counts as crashed. */
static void
bystander(void)
{
	if (ds_my_crash_note != NULL && GetQuitSignalReason() != PMQUIT_NOT_SENT)
		ds_my_crash_note->claimed = false;
}
