#include "cli/folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "server/config.h"
#include "store/ledger/schema.h"

char *folder_find(const char *config)
{
    const char *path = config_path(config), *env = getenv("MOONGATE_CONFIG");
    bool is_named = config || (env && *env);
    if (!is_named || access(path, R_OK) == 0) {
        config_use_registry(path);
        return config_data_dir(path);
    }
    cli_usage_error(config ? "-c names the gateway's configuration, and by it the data folder"
                           : "MOONGATE_CONFIG names the gateway's configuration, and by it the data folder",
                    "%s: %s", path, strerror(errno));
    return NULL;
}

#define IS_PRIVATE "run it as the gateway's user: the file is for that one alone"
#define IS_MISSING "the gateway makes it when it starts; -c names its configuration, and by it the data folder"

/* False after a message. */
static bool has_ledger(const char *dir)
{
    struct buf path;
    buf_init(&path);
    buf_printf(&path, "%s/" LEDGER_FILE, dir);
    buf_append_char(&path, '\0');
    bool is_there = access(buf_ptr(&path), R_OK) == 0;
    if (!is_there)
        cli_usage_error(errno == EACCES ? IS_PRIVATE : IS_MISSING, "%s: %s", buf_ptr(&path), strerror(errno));
    buf_clear(&path);
    return is_there;
}

char *folder_with_ledger(const char *config)
{
    char *dir = folder_find(config);
    if (!dir || has_ledger(dir)) return dir;
    mem_free(dir);
    return NULL;
}
