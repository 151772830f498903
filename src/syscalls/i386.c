/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table's rows as i386 reads them, and the calls behind socketcall(2), ipc(2), old mmap and old select.
 * Sources: arch/x86/entry/syscalls/syscall_32.tbl, arch/x86/kernel/sys_ia32.c, net/compat.c
 * (compat_sys_socketcall), ipc/syscall.c (compat_ksys_ipc).
 */
#define ROWS_I386
#include "syscalls/i386.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/net.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include "base/cleanup.h"
#include "syscalls/rows.h"

static const struct call calls[] = {
#include "syscalls/calls/all.def"
};

#undef CALL
#undef CALL_FD
#undef CALL32
#undef CALL32_FD
#define CALL(name_, nr_, nr_i386_, ...) [ID(nr_)] = (nr_i386_),
#define CALL_FD(name_, nr_, nr_i386_, ...) [ID(nr_)] = (nr_i386_),
#define CALL32(name_, nr_i386_, ...) [ID32(name_)] = (nr_i386_),
#define CALL32_FD(name_, nr_i386_, ...) [ID32(name_)] = (nr_i386_),

/* By id: what a search for a number goes through. */
static const int16_t numbers[] = {
#include "syscalls/calls/all.def"
};
static_assert(ARRAY_SIZE(numbers) == ARRAY_SIZE(calls), "each row has its number");

const struct call *i386_by_nr(long nr)
{
    for (size_t i = 0; nr >= 0 && i < ARRAY_SIZE(numbers); i++)
        if (numbers[i] == nr)
            return &calls[i];
    return NULL;
}

long i386_last_nr(void)
{
    long last = 0;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        last = numbers[i] > last ? numbers[i] : last;
    return last;
}

/* ipc(call, first, second, third, ptr, fifth): what each call has where. The upper half of `call` is a
 * version. */
#define NR_IPC 117
#define IPC(id_, name_, family_, groups_, ...)                                                               \
    ROWS_CALL(id_, name_, NONE, NR_IPC, family_, groups_, false, __VA_ARGS__)

enum {
    SEMOP,
    SEMTIMEDOP,
    SEMGET,
    SEMCTL,
    MSGSND,
    MSGRCV_0,
    MSGRCV,
    MSGGET,
    MSGCTL,
    SHMAT,
    SHMDT,
    SHMGET,
    SHMCTL
};

/* clang-format off */
static const struct call behind_ipc[] = {
    [SEMOP] = IPC(ID(65), semop, semop, G(ipc), ARG(1, INT, semid), ARG(2, UINT, nsops), ARG(4, ADDR, sops))
    [SEMTIMEDOP] = IPC(ID(220), semtimedop, semop, G(ipc),
        ARG(1, INT, semid), ARG(2, UINT, nsops), ARG(4, ADDR, sops), IN(5, STRUCT, timeout, BYTES(16, 8)))
    [SEMGET] = IPC(ID(64), semget, semget, G(ipc),
        ARG(1, INT, key), ARG(2, INT, nsems), ARG(3, FLAGS, flags, SET(ipc)))
    [SEMCTL] = IPC(ID(66), semctl, semctl, G(ipc),
        ARG(1, INT, semid), ARG(2, INT, semnum), ARG(3, INT, cmd, SET(ipcctl)), ARG(4, ULONG, arg, FIELD(0, 4)))
    [MSGSND] = IPC(ID(69), msgsnd, msgsnd, G(ipc),
        ARG(1, INT, msqid), ARG(2, SIZE, count), ARG(3, FLAGS, flags, SET(ipc)), ARG(4, ADDR, msgp))
    [MSGRCV_0] = IPC(ID(70), msgrcv, msgrcv, G(ipc),
        ARG(1, INT, msqid), ARG(2, SIZE, count), ARG(3, FLAGS, flags, SET(ipc)), ARG(4, ADDR, msgp, FIELD(0, 4)),
        ARG(4, INT, msgtype, FIELD(4, 4)))
    [MSGRCV] = IPC(ID(70), msgrcv, msgrcv, G(ipc),
        ARG(1, INT, msqid), ARG(2, SIZE, count), ARG(3, FLAGS, flags, SET(ipc)), ARG(4, ADDR, msgp),
        ARG(5, LONG, msgtype))
    [MSGGET] = IPC(ID(68), msgget, msgget, G(ipc), ARG(1, INT, key), ARG(2, FLAGS, flags, SET(ipc)))
    [MSGCTL] = IPC(ID(71), msgctl, msgctl, G(ipc),
        ARG(1, INT, msqid), ARG(2, INT, cmd, SET(ipcctl)), ARG(4, ADDR, argp))
    [SHMAT] = IPC(ID(30), shmat, shmat, G(ipc) | G(memory),
        ARG(1, INT, shmid), ARG(2, FLAGS, flags, SET(shmat)), ARG(4, ADDR, addr))
    [SHMDT] = IPC(ID(67), shmdt, shmdt, G(ipc) | G(memory), ARG(4, ADDR, addr))
    [SHMGET] = IPC(ID(29), shmget, shmget, G(ipc) | G(memory),
        ARG(1, INT, key), ARG(2, SIZE, size), ARG(3, FLAGS, flags, SET(ipc)))
    [SHMCTL] = IPC(ID(31), shmctl, shmctl, G(ipc) | G(memory),
        ARG(1, INT, shmid), ARG(2, INT, cmd, SET(ipcctl)), ARG(4, ADDR, argp))
};
/* clang-format on */

#define LOW 0xffffu
#define WHOLE UINT32_MAX
#define BEHIND_IPC(mask_, selector_, row_)                                                                   \
    {                                                                                                        \
        .nr = NR_IPC, .mask = (mask_), .selector = (selector_), .call = &behind_ipc[row_]                    \
    }
/* x86-64's number finds the row; accept, send and recv are their successors with zeros behind. */
#define SOCKET(selector_, nr_, words_)                                                                       \
    {                                                                                                        \
        .nr = 102, .mask = WHOLE, .selector = (selector_), .call = &calls[ID(nr_)], .words = (words_),       \
        .array = 1                                                                                           \
    }

static const struct call_behind behind[] = {
    {.nr = 82, .call = &calls[ID32(_newselect)], .words = 5},
    {.nr = 90, .call = &calls[ID32(mmap2)], .words = 6},
    SOCKET(SYS_SOCKET, 41, 3),
    SOCKET(SYS_BIND, 49, 3),
    SOCKET(SYS_CONNECT, 42, 3),
    SOCKET(SYS_LISTEN, 50, 2),
    SOCKET(SYS_ACCEPT, 288, 3),
    SOCKET(SYS_GETSOCKNAME, 51, 3),
    SOCKET(SYS_GETPEERNAME, 52, 3),
    SOCKET(SYS_SOCKETPAIR, 53, 4),
    SOCKET(SYS_SEND, 44, 4),
    SOCKET(SYS_RECV, 45, 4),
    SOCKET(SYS_SENDTO, 44, 6),
    SOCKET(SYS_RECVFROM, 45, 6),
    SOCKET(SYS_SHUTDOWN, 48, 2),
    SOCKET(SYS_SETSOCKOPT, 54, 5),
    SOCKET(SYS_GETSOCKOPT, 55, 5),
    SOCKET(SYS_SENDMSG, 46, 3),
    SOCKET(SYS_RECVMSG, 47, 3),
    SOCKET(SYS_ACCEPT4, 288, 4),
    SOCKET(SYS_RECVMMSG, 299, 5),
    SOCKET(SYS_SENDMMSG, 307, 4),
    BEHIND_IPC(LOW, 1, SEMOP),
    BEHIND_IPC(LOW, 2, SEMGET),
    BEHIND_IPC(LOW, 3, SEMCTL),
    BEHIND_IPC(LOW, 4, SEMTIMEDOP),
    BEHIND_IPC(LOW, 11, MSGSND),
    BEHIND_IPC(WHOLE, 12, MSGRCV_0),
    BEHIND_IPC(LOW, 12, MSGRCV),
    BEHIND_IPC(LOW, 13, MSGGET),
    BEHIND_IPC(LOW, 14, MSGCTL),
    BEHIND_IPC(LOW, 21, SHMAT),
    BEHIND_IPC(LOW, 22, SHMDT),
    BEHIND_IPC(LOW, 23, SHMGET),
    BEHIND_IPC(LOW, 24, SHMCTL),
};

const struct call_behind *call_behind(size_t i)
{
    return i < ARRAY_SIZE(behind) ? &behind[i] : NULL;
}

const struct call_behind *call_behind_nr(long nr, uint64_t reg0)
{
    for (size_t i = 0; i < ARRAY_SIZE(behind); i++)
        if (behind[i].nr == nr && ((uint32_t)reg0 & behind[i].mask) == behind[i].selector)
            return &behind[i];
    return NULL;
}
