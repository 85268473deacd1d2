/* URLs of Redis: what is taken, and that nothing of them is told. */
#include "net/redis.h"

#include "../unit.h"

static bool is_taken(const char *url)
{
    struct fault why = {0};
    bool is_good = redis_check(url, &why);
    if (!is_good) EXPECT(!strstr(fault_message(&why), "s3cret"));
    return is_good;
}

static void what_is_a_url_is_taken(void)
{
    static const char *const urls[] = {
        "redis://localhost",
        "redis://localhost/",
        "redis://localhost:6380/15",
        "redis://127.0.0.1:6379",
        "redis://[::1]:6379/0",
        "redis://[2001:db8::7]",
        "redis://moongate:s3cret@redis.example:6379/0",
        "redis://:s3cret%40with%2Fsigns%3f%25@redis.example",
        "redis://moongate:s3cret@a,b:6380,10.0.0.7/2",
        "redis://redis_1:6379?db=3",
        "rediss://moongate:s3cret@redis.example",
        "unix:///run/redis/redis.sock",
        "unix:///run/redis/redis.sock?db=4",
        "unix:///run/a%20b.sock?user=moongate&password=s3cret%26more",
        "redis+sentinel://a,b,c:26380/mymaster",
        "redis+sentinel://moongate:s3cret@a,b/mymaster/3?sentinel_user=x&sentinel_password=s3cret",
        "rediss+sentinel://a/mymaster",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        if (!is_taken(urls[i])) UNIT_FAIL("%s is not taken", urls[i]);
    }
}

static void what_is_none_is_refused_without_a_word_of_it(void)
{
    static const char *const urls[] = {
        "",
        "s3cret",
        "http://s3cret@localhost",
        "redis://",
        "redis:///0",
        "redis://:s3cret@",
        "redis://s3cret@localhost",
        "redis://moongate:@localhost",
        "redis://moongate:s3cret@more@localhost",
        "redis://moongate:s3cret/more@localhost",
        "redis://moongate:s3cret?more@localhost",
        "redis://moongate:s3cret%zz@localhost",
        "redis://moongate:s3cret%00@localhost",
        "redis://moongate:s3cret%4@localhost",
        "redis://local host",
        "redis://localhost:",
        "redis://localhost:0",
        "redis://localhost:65536",
        "redis://localhost:s3cret",
        "redis://[::1",
        "redis://[::1]s3cret",
        "redis://[::1]:",
        "redis://a,,b",
        "redis://a,b,",
        "redis://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a",
        "redis://localhost/s3cret",
        "redis://localhost/70000",
        "redis://localhost/0/1",
        "redis://localhost?db=s3cret",
        "redis://localhost?s3cret",
        "redis://localhost?password=s3cret",
        "redis://localhost?ca=/s3cret",
        "redis://a:s3cret@localhost?db=1&db",
        "unix://run/redis.sock",
        "unix://",
        "unix:///run/redis.sock?user=moongate",
        "unix:///run/redis.sock?password=s3cret&password=s3cret",
        "redis+sentinel://a",
        "redis+sentinel://a/",
        "redis+sentinel://a/mymaster/s3cret",
        "redis+sentinel://a/mymaster?sentinel_user=x",
        "rediss://localhost?cert=/nowhere.pem",
        "rediss://localhost?ca=/nowhere/s3cre.pem",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        if (is_taken(urls[i])) UNIT_FAIL("%s is taken", urls[i]);
    }
}

static void a_path_of_a_socket_fits_its_address(void)
{
    char url[160];
    for (int len = 100; len < 120; len++) {
        snprintf(url, sizeof url, "unix:///%0*d", len - 1, 1);
        EXPECT_INT(len <= 107, is_taken(url));
    }
}

static void a_url_is_bounded(void)
{
    static char url[8192] = "redis://:";
    memset(url + 9, 'x', 5000);
    memcpy(url + 5009, "@localhost", 11);
    EXPECT(!is_taken(url));
}

int main(void)
{
    RUN(what_is_a_url_is_taken);
    RUN(what_is_none_is_refused_without_a_word_of_it);
    RUN(a_path_of_a_socket_fits_its_address);
    RUN(a_url_is_bounded);
    return unit_close("redis_target");
}
