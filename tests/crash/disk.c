/* A disk that fails when it is told to: preloaded into a database's process.
 *
 * LEADGATE_TEST_DISK_UNDER  the beginning of the paths of the files that are on it
 * LEADGATE_TEST_DISK_SAYS   a file; what it holds is what the disk does, and where it is not there all is well:
 *   full         each write is ENOSPC
 *   broken       each fsync is EIO, and what it was about is lost
 *   treacherous  each fsync is EIO; what it was about can still be read, counts as written, and is lost in a power cut
 *   broken once  the same, once: the file is removed
 *   cut          the process dies, as in a power cut
 * LEADGATE_TEST_DISK_FORGETS  a file; where it is named, what no fsync has flushed is lost when one fails, and in a power
 *                             cut: the files get back the bytes that they had. Of one process at a time: the file is
 *                             where it tells the next what a treacherous disk does not have.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct written {
    struct written *before;
    char *path;
    off_t at, size;
    size_t length, held;
    char bytes[];
};

/* A page that can be read and is not on the disk, with what the disk has. As in a kernel, only what writes to the page anew
 * lets an fsync take it there. */
enum { PAGE = 4096 };

struct phantom {
    struct phantom *next;
    char path[4096];
    off_t page;
    int is_new;
    char bytes[PAGE];
};

static struct written *unflushed;
static struct phantom *phantoms;
static int is_loaded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether a file is on this disk; its path. What SQLite shares between processes is memory, and no matter of a disk. */
static int is_here(int fd, char *path, size_t size) {
    const char *under = getenv("LEADGATE_TEST_DISK_UNDER");
    char link[64];
    int error = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = under ? readlink(link, path, size - 1) : -1;
    errno = error;
    if (length < 0) return 0;
    path[length] = 0;
    return strncmp(path, under, strlen(under)) == 0 && !(length > 4 && strcmp(path + length - 4, "-shm") == 0);
}

static int says(const char *what) {
    const char *file = getenv("LEADGATE_TEST_DISK_SAYS");
    char text[32] = "";
    int error = errno;
    int fd = file ? syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        ssize_t length = read(fd, text, sizeof text - 1);
        text[length > 0 ? length : 0] = 0;
        close(fd);
    }
    errno = error;
    return strcmp(text, what) == 0;
}

/* Gives the files back what they had, the last write first. */
static void forget(const char *path) {
    struct written **next = &unflushed;
    while (*next) {
        struct written *one = *next;
        if (path && strcmp(one->path, path) != 0) {
            next = &one->before;
            continue;
        }
        int fd = open(one->path, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            syscall(SYS_pwrite64, fd, one->bytes, one->held, one->at);
            struct stat now;
            if (fstat(fd, &now) == 0 && now.st_size > one->size && ftruncate(fd, one->size)) abort();
            close(fd);
        }
        *next = one->before;
        free(one->path);
        free(one);
    }
}

static struct phantom **find(const char *path, off_t page) {
    struct phantom **next = &phantoms;
    if (!is_loaded) {
        FILE *file = fopen(getenv("LEADGATE_TEST_DISK_FORGETS"), "r");
        struct phantom read;
        while (file && fread(&read, sizeof read, 1, file) == 1) {
            struct phantom *one = malloc(sizeof *one);
            if (!one) abort();
            *one = read;
            one->next = phantoms;
            phantoms = one;
        }
        if (file) fclose(file);
        is_loaded = 1;
    }
    while (*next && ((*next)->page != page || strcmp((*next)->path, path) != 0)) next = &(*next)->next;
    return next;
}

static void save(void) {
    FILE *file = fopen(getenv("LEADGATE_TEST_DISK_FORGETS"), "w");
    if (!file) abort();
    for (struct phantom *one = phantoms; one; one = one->next) {
        one->is_new = 0;
        if (fwrite(one, sizeof *one, 1, file) != 1) abort();
    }
    if (fclose(file)) abort();
}

/* What is unflushed of a file counts as written from now on. */
static void haunt(const char *path) {
    struct written **next = &unflushed;
    while (*next) {
        struct written *one = *next;
        if (strcmp(one->path, path) != 0) {
            next = &one->before;
            continue;
        }
        for (off_t page = one->at / PAGE; page * PAGE < one->at + (off_t)one->length; page++) {
            struct phantom **found = find(path, page);
            if (!*found) {
                struct phantom *phantom = calloc(1, sizeof *phantom);
                int fd = open(path, O_RDONLY | O_CLOEXEC);
                if (!phantom || fd < 0 || pread(fd, phantom->bytes, PAGE, page * PAGE) < 0) abort();
                close(fd);
                strcpy(phantom->path, path);
                phantom->page = page;
                phantom->is_new = 1;
                *found = phantom;
            }
            /* The last write comes first: what it wrote over is in turn what an earlier one wrote. */
            for (off_t at = page * PAGE; (*found)->is_new && at < (page + 1) * PAGE; at++) {
                off_t from = at - one->at;
                if (from < 0 || from >= (off_t)one->length) continue;
                (*found)->bytes[at - page * PAGE] = from < (off_t)one->held ? one->bytes[from] : 0;
            }
        }
        *next = one->before;
        free(one->path);
        free(one);
    }
    save();
}

static void lose_phantoms(void) {
    (void)find("", 0);
    for (struct phantom *one = phantoms; one; one = one->next) {
        int fd = open(one->path, O_WRONLY | O_CLOEXEC);
        struct stat now;
        if (fd < 0) continue;
        if (fstat(fd, &now)) abort();
        off_t length = now.st_size - one->page * PAGE;
        if (length > 0) syscall(SYS_pwrite64, fd, one->bytes, length < PAGE ? length : PAGE, one->page * PAGE);
        close(fd);
    }
    phantoms = NULL;
    save();
}

static void flushed(const char *path) {
    struct written **next = &unflushed;
    int is_changed = 0;
    while (*next) {
        struct written *one = *next;
        if (strcmp(one->path, path) != 0) {
            next = &one->before;
            continue;
        }
        for (off_t page = one->at / PAGE; page * PAGE < one->at + (off_t)one->length; page++) {
            struct phantom **found = find(path, page);
            if (!*found) continue;
            *found = (*found)->next;
            is_changed = 1;
        }
        *next = one->before;
        free(one->path);
        free(one);
    }
    if (is_changed) save();
}

/* Keeps what the file has where it is about to be written to. */
static void keep(int fd, const char *path, off_t at, size_t length) {
    if (!getenv("LEADGATE_TEST_DISK_FORGETS")) return;
    struct written *one = malloc(sizeof *one + length);
    int readable = open(path, O_RDONLY | O_CLOEXEC);
    struct stat now;
    if (!one || readable < 0 || fstat(readable, &now)) abort();
    ssize_t held = pread(readable, one->bytes, length, at);
    close(readable);
    one->path = strdup(path);
    one->at = at;
    one->size = now.st_size;
    one->length = length;
    one->held = held > 0 ? held : 0;
    one->before = unflushed;
    unflushed = one;
    (void)fd;
}

static void maybe_cut(void) {
    if (!says("cut")) return;
    forget(NULL);
    if (getenv("LEADGATE_TEST_DISK_FORGETS")) lose_phantoms();
    kill(getpid(), SIGKILL);
    pause();
}

static ssize_t put(int fd, const struct iovec *parts, int count, off_t at, int is_placed) {
    char path[4096];
    size_t length = 0;
    ssize_t done;
    for (int i = 0; i < count; i++) length += parts[i].iov_len;
    int here = is_here(fd, path, sizeof path);
    if (here) {
        pthread_mutex_lock(&lock);
        maybe_cut();
        if (says("full")) {
            pthread_mutex_unlock(&lock);
            errno = ENOSPC;
            return -1;
        }
        keep(fd, path, is_placed ? at : lseek(fd, 0, SEEK_CUR), length);
    }
    if (is_placed) done = syscall(SYS_pwritev, fd, parts, count, (unsigned long)at, 0UL);
    else done = syscall(SYS_writev, fd, parts, count);
    if (here) pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    struct iovec part = {(void *)bytes, length};
    return put(fd, &part, 1, 0, 0);
}

ssize_t writev(int fd, const struct iovec *parts, int count) { return put(fd, parts, count, 0, 0); }

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    struct iovec part = {(void *)bytes, length};
    return put(fd, &part, 1, at, 1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return pwrite(fd, bytes, length, at); }

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return put(fd, parts, count, at, 1); }

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) { return put(fd, parts, count, at, 1); }

static int flush(int fd, long call) {
    char path[4096];
    if (!is_here(fd, path, sizeof path)) return syscall(call, fd);
    pthread_mutex_lock(&lock);
    maybe_cut();
    int once = says("broken once"), treacherous = says("treacherous"), done;
    if (once || treacherous || says("broken")) {
        if (once) unlink(getenv("LEADGATE_TEST_DISK_SAYS"));
        if (treacherous) haunt(path);
        else forget(path);
        errno = EIO;
        done = -1;
    } else {
        done = syscall(call, fd);
        if (done == 0) flushed(path);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int fsync(int fd) { return flush(fd, SYS_fsync); }

int fdatasync(int fd) { return flush(fd, SYS_fdatasync); }
