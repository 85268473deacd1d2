/*
 * A PostgreSQL server of a test's own, and questions to it past the code under test.
 *
 *     server_start(NULL);                                  // or "listen_addresses=127.0.0.1"; in a temporary folder
 *     conninfo = server_conninfo();                        // as moongate, the owner of one database
 *     EXPECT_STR("1|2", server_ask("SELECT 1, 2"));        // as postgres, who may do all
 *     server_kill(SIGKILL);  server_start(NULL);           // the same cluster again
 *     server_end();                                        // and its folder goes
 */
#ifndef MOONGATE_TESTS_POSTGRES_KIT_H
#define MOONGATE_TESTS_POSTGRES_KIT_H

#include <ftw.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char server_dir[] = "/tmp/moongate-pg-XXXXXX";
static pid_t server_pid;
static unsigned server_port = 5432;

static inline const char *server_conninfo(void)
{
    static char text[160];
    snprintf(text, sizeof text, "host=%s port=%u dbname=moongate user=moongate password=secret", server_dir, server_port);
    return text;
}

static inline void server_root_conninfo(char text[160], const char *database)
{
    snprintf(text, 160, "host=%s port=%u dbname=%s user=postgres options='-c client_min_messages=error'", server_dir,
             server_port, database);
}

static inline bool server_is_up(void)
{
    char text[160];
    server_root_conninfo(text, "moongate");
    return PQping(text) == PQPING_OK;
}

/* `setting`: one more, or NULL. */
static inline void server_start(const char *setting)
{
    char port[24];
    if (strstr(server_dir, "XXXXXX") && !mkdtemp(server_dir)) abort();
    snprintf(port, sizeof port, "port=%u", server_port);
    server_pid = fork();
    if (server_pid == 0) {
        if (setting) execl("tests/lib/postgres", "postgres", server_dir, "-c", port, "-c", setting, (char *)NULL);
        else execl("tests/lib/postgres", "postgres", server_dir, "-c", port, (char *)NULL);
        _exit(127);
    }
    while (!server_is_up()) {
        if (waitpid(server_pid, NULL, WNOHANG) == server_pid) {
            fprintf(stderr, "PostgreSQL does not start: see %s\n", server_dir);
            exit(1);
        }
        usleep(10000);
    }
}

static inline void server_kill(int signal_number)
{
    kill(server_pid, signal_number);
    waitpid(server_pid, NULL, 0);
    server_pid = 0;
}

static inline int server_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static inline void server_end(void)
{
    if (server_pid) server_kill(SIGINT);
    nftw(server_dir, server_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The first row's columns with bars between them; "" when there is none. Several statements: the last one's. */
static inline const char *server_ask_in(const char *database, const char *sql)
{
    static char answers[4][4096];
    static unsigned turn;
    char *out = answers[turn++ % 4], conninfo[160];
    size_t len = 0;
    server_root_conninfo(conninfo, database);
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    out[0] = '\0';
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) UNIT_FAIL("%s: %s", sql, PQerrorMessage(conn));
    for (int i = 0; PQntuples(result) && i < PQnfields(result) && len < 4096; i++)
        len += (size_t)snprintf(out + len, 4096 - len, "%s%s", i ? "|" : "", PQgetvalue(result, 0, i));
    PQclear(result);
    PQfinish(conn);
    return out;
}

static inline const char *server_ask(const char *sql)
{
    return server_ask_in("moongate", sql);
}

#endif
