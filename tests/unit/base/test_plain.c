/* Files that somebody names: what would wait, or never end, is refused and told apart. */
#include "../unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/plain.h"

static char folder[] = "/tmp/moongate-plain-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[96];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void refuse(const char *path, const char *what, const char *cure)
{
    struct fault why = {.code = FAULT_NONE};
    EXPECT_INT(-1, plain_open(path, &why));
    EXPECT(strstr(fault_message(&why), path) != NULL);
    if (!strstr(fault_message(&why), what) || !strstr(fault_message(&why), cure)) UNIT_FAIL("%s", fault_message(&why));
    EXPECT(!plain_check(path, &why));
}

static void what_is_no_file_is_refused_at_once(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    EXPECT_INT(0, mkfifo(in_folder("pipe"), 0600));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", in_folder("socket"));
    EXPECT_INT(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    EXPECT_INT(0, symlink("pipe", in_folder("link-to-pipe")));
    refuse(in_folder("pipe"), "is a pipe", "into a file");
    refuse(in_folder("link-to-pipe"), "is a pipe", "into a file");
    refuse(in_folder("socket"), "is a socket", "into a file");
    refuse("/dev/zero", "is a device", "into a file");
    refuse(folder, "is a folder", "name a file in it");
    refuse(in_folder("nothing"), "No such file", "is the name right");
    refuse(in_folder("pipe/below"), "Not a directory", "is the name right");
}

static void a_file_is_opened_and_so_is_a_link_to_one(void)
{
    struct fault why;
    char first[4] = "";
    FILE *file = fopen(in_folder("file"), "w");
    fputs("abc", file);
    fclose(file);
    EXPECT_INT(0, symlink("file", in_folder("link")));
    int fd = plain_open(in_folder("link"), &why);
    EXPECT(fd >= 0 && read(fd, first, 3) == 3);
    EXPECT_STR("abc", first);
    close(fd);
    EXPECT(plain_check(in_folder("file"), &why));
}

int main(void)
{
    static const char *const names[] = {"pipe", "socket", "link-to-pipe", "link", "file"};
    if (!mkdtemp(folder)) abort();
    RUN(what_is_no_file_is_refused_at_once);
    RUN(a_file_is_opened_and_so_is_a_link_to_one);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(in_folder(names[i]));
    rmdir(folder);
    return unit_close("plain");
}
