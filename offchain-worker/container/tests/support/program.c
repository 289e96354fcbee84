// What the containers of the tests run: a Linux program of its own, for x86-64, without any library. Its first argument says
// what to do. What it learns goes to /output/out.

enum { READ, WRITE, OPEN, CLOSE, MMAP = 9, NANOSLEEP = 35, SOCKET = 41, CONNECT = 42, FORK = 57, EXIT = 60, TRUNCATE = 76,
       RENAME = 82, UNLINK = 87, SYMLINK = 88, GETUID = 102, SETUID = 105, MKNOD = 133, MOUNT = 165 };
enum { WRONLY = 1, CREAT = 0100, FIFO = 0010000 };

static long call(long number, long a, long b, long c, long d, long e, long f) {
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;
	__asm__ volatile("syscall"
	                 : "=a"(result)
	                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return result;
}
#define CALL(number, a, b, c) call(number, (long)(a), (long)(b), (long)(c), 0, 0, 0)

static char buffer[1 << 16];
static long out = -1;

static long length(const char *text) {
	long n = 0;
	while (text[n]) n++;
	return n;
}

static int same(const char *a, const char *b) {
	while (*a && *a == *b) a++, b++;
	return *a == *b;
}

static long create(const char *path) { return CALL(OPEN, path, WRONLY | CREAT, 0644); }

static void say(long file, const char *text) { CALL(WRITE, file, text, length(text)); }

// Writes to the output what a call gave: a number, or an error's number with a minus.
static void tell(const char *what, long result) {
	char digits[24], *at = digits + 23;
	unsigned long left = result < 0 ? -result : result;
	*at = 0;
	do *--at = '0' + left % 10; while (left /= 10);
	if (result < 0) *--at = '-';
	if (out < 0) out = create("/output/out");
	say(out, what), say(out, "="), say(out, at), say(out, "\n");
}

static void rest(long milliseconds) {
	long time[2] = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
	CALL(NANOSLEEP, time, 0, 0);
}

static void copy(const char *from, const char *to) {
	long in = CALL(OPEN, from, 0, 0), file = create(to), n;
	while ((n = CALL(READ, in, buffer, sizeof buffer)) > 0) CALL(WRITE, file, buffer, n);
}

static void connect_out(void) {
	// 1.1.1.1, port 80.
	unsigned char address[16] = { 2, 0, 0, 80, 1, 1, 1, 1 };
	tell("connect", CALL(CONNECT, CALL(SOCKET, 2, 1, 0), address, 16));
}

// Writes to a file until no more fits, removes it, and returns the error.
static long fill(const char *path) {
	long file = create(path), n;
	while ((n = CALL(WRITE, file, buffer, sizeof buffer)) > 0) {}
	CALL(CLOSE, file, 0, 0), CALL(UNLINK, path, 0, 0);
	return n;
}

static void use_memory(void) {
	for (;;) {
		volatile char *page = (char *)call(MMAP, 0, 1 << 20, 3, 0x22, -1, 0);
		for (int i = 0; i < 1 << 20; i += 4096) page[i] = 1;
	}
}

static void fork_without_end(void) {
	long children = 0, child;
	while ((child = CALL(FORK, 0, 0, 0)) > 0) children++;
	if (child == 0) for (;;) rest(1000);
	tell("children", children), tell("error", child);
}

// Counts in a checkpoint for ever, from where it was left.
static void count(void) {
	char state[2] = { 'a', 0 };
	long file = CALL(OPEN, "/output/state", 0, 0);
	if (file >= 0 && CALL(READ, file, state, 1) == 1) {
		say(1, "goes on from "), say(1, state), say(1, "\n");
		copy("/output/state", "/output/out");
		return;
	}
	for (;; state[0]++) {
		long next = create("/output/state.tmp");
		say(next, state), CALL(CLOSE, next, 0, 0);
		CALL(RENAME, "/output/state.tmp", "/output/state", 0);
		rest(30);
	}
}

static void reach_out(void) {
	tell("uid", CALL(GETUID, 0, 0, 0));
	tell("setuid", CALL(SETUID, 0, 0, 0));
	tell("mount", call(MOUNT, (long)"x", (long)"/tmp", (long)"tmpfs", 0, 0, 0));
	tell("root", create("/file")), tell("input", create("/input/file")), tell("tmp", create("/tmp/file"));
	tell("device", CALL(MKNOD, "/tmp/sda", 0060600, 0x800));
	tell("shadow", CALL(OPEN, "/etc/shadow", 0, 0));
	connect_out();
}

static void print_environment(char **variables) {
	for (long file = create("/output/out"); *variables; variables++) say(file, *variables), say(file, "\n");
}

__attribute__((used)) static void run(long *stack) {
	char **arguments = (char **)(stack + 1), **environment = arguments + stack[0] + 1;
	const char *what = stack[0] > 1 ? arguments[1] : "";
	long status = 0;
	if (same(what, "copy")) say(1, "copies\n"), say(2, "\033[31mwith an escape\n"), copy("/input/in", "/output/out");
	else if (same(what, "environment")) print_environment(environment);
	else if (same(what, "loop")) say(1, "loops\n"), ({ for (;;) rest(1000); });
	else if (same(what, "forks")) fork_without_end();
	else if (same(what, "memory")) use_memory();
	else if (same(what, "fill")) tell("fill", fill("/output/big"));
	else if (same(what, "count")) count();
	else if (same(what, "reach")) reach_out();
	else if (same(what, "device")) tell("device", CALL(OPEN, "/dev/millrace-test", 0, 0) >= 0);
	else if (same(what, "link")) CALL(SYMLINK, "/etc/passwd", "/output/out", 0);
	else if (same(what, "pipe")) CALL(MKNOD, "/output/out", FIFO | 0644, 0);
	else if (same(what, "hole")) CALL(CLOSE, create("/output/out"), 0, 0), CALL(TRUNCATE, "/output/out", 1L << 40, 0);
	else if (same(what, "flood")) { for (int i = 0; i < 16; i++) CALL(WRITE, 1, buffer, sizeof buffer); tell("flooded", 1); }
	else status = 7;
	CALL(EXIT, status, 0, 0);
	for (;;) {}
}

__attribute__((naked)) void _start(void) { __asm__("mov %rsp, %rdi\n\tcall run\n"); }
