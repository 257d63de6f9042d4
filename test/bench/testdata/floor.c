/*
 * The floor: what the kernel alone asks for sound, without a switch.
 *
 *   floor LEGS SECONDS
 *
 * Each leg is one connected UDP socket on loopback, joined to another leg. Every
 * 20 ms it sends one RTP packet of 20 ms PCMU (172 bytes) with sendto and takes
 * what has come with recvmmsg. The legs are spread over slots of 2 ms with
 * absolute deadlines, as media/pace spreads them, so both sleep equally often.
 * It prints: packets sent, packets received, CPU microseconds (utime + stime of
 * this process by getrusage) since the warm-up of half a second.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 10, SLOT_NS = 2000000, PACKET = 172, BATCH = 8, MTU = 1500 };

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static int leg(struct sockaddr_in *name)
{
	socklen_t len = sizeof *name;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	memset(name, 0, sizeof *name);
	name->sin_family = AF_INET;
	name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (void *)name, sizeof *name) || getsockname(fd, (void *)name, &len))
		die("socket");
	return fd;
}

int main(int argc, char **argv)
{
	int legs = argc == 3 ? atoi(argv[1]) & ~1 : 0, seconds = argc == 3 ? atoi(argv[2]) : 0;
	if (legs < 2 || seconds < 1) {
		fprintf(stderr, "usage: floor LEGS SECONDS\n");
		return 2;
	}
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);

	int *fd = calloc(legs, sizeof *fd);
	for (int i = 0; i < legs; i += 2) {
		struct sockaddr_in a, b;
		fd[i] = leg(&a), fd[i + 1] = leg(&b);
		if (connect(fd[i], (void *)&b, sizeof b) || connect(fd[i + 1], (void *)&a, sizeof a))
			die("connect");
	}

	static unsigned char out[PACKET], in[BATCH][MTU];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	memset(out, 0xff, sizeof out); /* silence in PCMU */
	memset(msgs, 0, sizeof msgs);
	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ in[i], MTU };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}

	long sent = 0, received = 0;
	int64_t began = 0;
	int warm = 25, turns = warm + seconds * 50; /* of 20 ms */
	uint16_t seq = 0;
	uint32_t ts = 0;
	struct timespec due;
	clock_gettime(CLOCK_MONOTONIC, &due);
	for (int turn = 0; turn < turns; turn++, seq++, ts += 160) {
		if (turn == warm) {
			sent = received = 0;
			began = cpu_us();
		}
		for (int slot = 0; slot < SLOTS; slot++) {
			if ((due.tv_nsec += SLOT_NS) >= 1000000000) {
				due.tv_nsec -= 1000000000;
				due.tv_sec++;
			}
			while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
				;
			for (int i = slot; i < legs; i += SLOTS) {
				uint32_t be = htonl(ts), ssrc = htonl(i);
				out[0] = 0x80, out[1] = 0;
				out[2] = seq >> 8, out[3] = (unsigned char)seq;
				memcpy(out + 4, &be, 4);
				memcpy(out + 8, &ssrc, 4);
				if (sendto(fd[i], out, PACKET, 0, NULL, 0) == PACKET)
					sent++;
				int n = recvmmsg(fd[i], msgs, BATCH, MSG_DONTWAIT, NULL);
				if (n > 0)
					received += n;
			}
		}
	}
	printf("%ld %ld %lld\n", sent, received, (long long)(cpu_us() - began));
	return 0;
}
