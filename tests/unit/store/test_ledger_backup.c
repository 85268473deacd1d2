/* Copies of the ledger, and the way back: whole, while it is written, and never beside what is left of another file. */
#include "ledger_kit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "store/ledger/backup.h"
#include "store/ledger/check.h"
#include "store/ledger/lock.h"

static void backup_path(char path[96])
{
    kit_path(path, "copy.db");
    unlink(path);
}

/* While another process writes: of one moment, whole, and openable. */
static void a_copy_is_made_while_it_is_written(void)
{
    char path[96];
    struct fault why = {0};
    struct ledger_backup about;
    struct stat st;
    int ready[2];
    kit_fresh();
    backup_path(path);
    EXPECT(pipe(ready) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct ledger *l = kit_open();
        for (uint64_t n = 0;; n += 20) {
            kit_put_many(l, n, 20, 20);
            if (n == 400 && write(ready[1], "", 1) != 1) _exit(1);
        }
    }
    char byte;
    EXPECT(read(ready[0], &byte, 1) == 1);
    for (int i = 0; i < 3; i++) {
        backup_path(path);
        if (!ledger_backup(kit_dir, path, &about, &why)) UNIT_FAIL("backup: %s", why.text);
        EXPECT(about.first == 1 && about.head >= 420 && about.head % 20 == 0);
        EXPECT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600 && (uint64_t)st.st_size == about.bytes);
    }
    EXPECT(!ledger_backup(kit_dir, path, &about, &why) && strstr(why.text, "there already"));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);

    uint64_t head = about.head;
    EXPECT(!ledger_restore(kit_dir, path, false, &about, &why) && strstr(why.text, "--yes"));
    if (!ledger_restore(kit_dir, path, true, &about, &why)) UNIT_FAIL("restore: %s", why.text);
    EXPECT_INT(head, about.head);
    kit_verify(head);
    struct ledger *l = kit_open();
    kit_put_many(l, head, 20, 20);
    ledger_close(l);
    kit_verify(head + 20);
    EXPECT_INT(-1, kit_bytes("ledger.db.part"));
}

static void expect_refused(const char *path, const char *word)
{
    struct fault why = {0};
    struct ledger_backup about;
    if (ledger_restore(kit_dir, path, true, &about, &why) || !strstr(why.text, word))
        UNIT_FAIL("restored, or refused without '%s': %s", word, why.text);
}

static void only_whole_copies_are_restored(void)
{
    char path[96], lock[96];
    struct fault why;
    struct ledger_backup about;
    kit_fresh();
    backup_path(path);
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 50, 10);
    EXPECT(ledger_backup(kit_dir, path, &about, &why));
    kit_path(lock, "lock");
    int fd = open(lock, O_RDWR | O_CREAT, 0600);
    EXPECT(flock(fd, LOCK_EX) == 0);
    expect_refused(path, "a gateway runs");
    close(fd);
    ledger_close(l);
    kit_damage(path, "UPDATE chain SET body = CAST('{}' AS BLOB) WHERE seq = 30");
    expect_refused(path, "broken at entry 30");
    kit_damage(path, "DELETE FROM chain WHERE seq = 30");
    expect_refused(path, "broken at entry 31");
    kit_damage(path, "PRAGMA user_version = 99");
    expect_refused(path, "newer");
    kit_damage(path, "PRAGMA user_version = 0");
    expect_refused(path, "no ledger");
    expect_refused("/nowhere/at/all", "unable to open");
    FILE *file = fopen(path, "w");
    fputs("no database", file);
    fclose(file);
    expect_refused(path, "copy.db");
    kit_verify(50); /* it stands as it was */
    unlink(path);
    unlink(lock);
}

static void copy_file(const char *from, const char *to)
{
    char command[256];
    snprintf(command, sizeof command, "cp %s/%s %s/%s", kit_dir, from, kit_dir, to);
    EXPECT_INT(0, system(command));
}

/* Somebody removed the damaged file alone. SQLite would put the log's pages into whatever has its name. */
static void what_was_left_of_another_file_does_not_come_back(void)
{
    static const char *const names[] = {"ledger.db-wal", "ledger.db-shm"};
    char path[96], file[96];
    struct fault why = {0};
    struct ledger_backup about;
    kit_fresh();
    backup_path(path);
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 50, 10);
    EXPECT(ledger_backup(kit_dir, path, &about, &why));
    kit_put_many(l, 50, 50, 10);
    copy_file("ledger.db-wal", "wal");
    copy_file("ledger.db-shm", "shm");
    ledger_close(l);
    kit_path(file, "ledger.db");
    EXPECT_INT(0, unlink(file));
    copy_file("wal", names[0]);
    copy_file("shm", names[1]);
    if (!ledger_restore(kit_dir, path, false, &about, &why)) UNIT_FAIL("restore: %s", why.text);
    EXPECT_INT(-1, kit_bytes(names[0]));
    kit_verify(50);
    kit_path(file, "wal");
    unlink(file);
    kit_path(file, "shm");
    unlink(file);
}

/* Of a supervisor that was killed: nobody holds the folder's lock, and yet one writes. */
static void nothing_is_put_under_a_ledger_process_that_lives(void)
{
    char path[96];
    struct fault why = {0};
    struct ledger_backup about;
    struct ledger_checked found;
    struct ledger_check how = {.data_dir = kit_dir, .is_repair = true};
    kit_fresh();
    backup_path(path);
    struct ledger *l = kit_open();
    kit_put_many(l, 0, 10, 10);
    EXPECT(ledger_backup(kit_dir, path, &about, &why));
    int living = ledger_living(kit_dir, &why);
    EXPECT(living >= 0);
    expect_refused(path, "still writes");
    EXPECT(!ledger_check(&how, &found, &why) && strstr(why.text, "still writes"));
    close(living);
    ledger_close(l);
    EXPECT(ledger_restore(kit_dir, path, true, &about, &why));
    EXPECT(ledger_check(&how, &found, &why) && found.entries == 10);
    unlink(path);
}

int main(void)
{
    RUN(a_copy_is_made_while_it_is_written);
    RUN(only_whole_copies_are_restored);
    RUN(what_was_left_of_another_file_does_not_come_back);
    RUN(nothing_is_put_under_a_ledger_process_that_lives);
    char path[96];
    backup_path(path);
    kit_end();
    return unit_close("ledger_backup");
}
