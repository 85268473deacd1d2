#include "cli/trial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli.h"

char *trial_new(void)
{
    struct buf path;
    const char *where = getenv("TMPDIR");
    buf_init(&path);
    buf_printf(&path, "%s/moongate-trial-XXXXXX", where && *where ? where : "/tmp");
    char *folder = mem_strndup(buf_ptr(&path), buf_len(&path));
    buf_clear(&path);
    if (mkdtemp(folder)) return folder;
    cli_error(CLI_USAGE, "TMPDIR names a folder for it", "%s: %s", folder, strerror(errno));
    mem_free(folder);
    return NULL;
}

/* A restore makes files there, and no folders. */
void trial_end(char *folder)
{
    if (!folder) return;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir) closedir(dir);
    rmdir(folder);
    mem_free(folder);
}
