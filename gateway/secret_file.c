/*
 * secret_file.c
 *	  Reads a file that other users must not be able to read.
 */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"

#define MAX_SIZE	(1 << 20)

/* Checks the open file, not the one that may have its name a moment later. */
static bool
is_acceptable(int fd, const char *path, bool secret)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
	{
		log_message("%s: not a regular file", path);
		return false;
	}
	if (st.st_size > MAX_SIZE)
	{
		log_message("%s: larger than %d bytes", path, MAX_SIZE);
		return false;
	}
	if (secret && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
	{
		log_message("%s: refused, because other users than its owner have access to it; its mode must be 0600 or less",
					path);
		return false;
	}
	if (secret && st.st_uid != geteuid() && st.st_uid != 0)
	{
		log_message("%s: refused, because it belongs to another user", path);
		return false;
	}
	return true;
}

char *
file_read(const char *path, bool secret)
{
	int			fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char	   *text = NULL;
	size_t		length = 0;
	ssize_t		n;

	if (fd < 0)
	{
		log_message("%s: %s", path, strerror(errno));
		return NULL;
	}
	if (is_acceptable(fd, path, secret))
	{
		text = gw_alloc(MAX_SIZE + 1);
		while (length < MAX_SIZE &&
			   (n = read(fd, text + length, MAX_SIZE - length)) > 0)
			length += n;
	}
	close(fd);
	return text;
}
