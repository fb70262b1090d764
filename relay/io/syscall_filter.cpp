#include "relay/io/syscall_filter.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/wireless.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <system_error>

#include "relay/io/sanitized.h"

namespace relay::io {

namespace {

// Of every program with threads that is linked to glibc, whatever it does.
constexpr std::array any_program{
    SCMP_SYS(brk),                // memory
    SCMP_SYS(mmap),               //
    SCMP_SYS(mmap2),              //
    SCMP_SYS(mremap),             //
    SCMP_SYS(munmap),             //
    SCMP_SYS(mprotect),           // stacks of threads, arenas of malloc
    SCMP_SYS(madvise),            // memory and stacks given back
    SCMP_SYS(futex),              // locks, ends of threads
    SCMP_SYS(futex_time64),       //
    SCMP_SYS(set_robust_list),    // a thread begins
    SCMP_SYS(set_tid_address),    //
    SCMP_SYS(rseq),               //
    SCMP_SYS(membarrier),         // its thread-local storage is set up
    SCMP_SYS(sched_yield),        // a lock is waited for
    SCMP_SYS(sched_getaffinity),  // how many arenas malloc may have
    SCMP_SYS(exit),               // a thread ends
    SCMP_SYS(exit_group),         // the process ends
    SCMP_SYS(getpid),             // abort
    SCMP_SYS(gettid),             //
    SCMP_SYS(rt_sigaction),       //
    SCMP_SYS(rt_sigprocmask),     // signals held back
    SCMP_SYS(rt_sigreturn),       // out of a signal's handler
    SCMP_SYS(sigreturn),          //
    SCMP_SYS(restart_syscall),    // a call goes on after SIGSTOP and SIGCONT
    SCMP_SYS(getrandom),          // seeds of malloc and of hashes
    SCMP_SYS(sysinfo),            // how much memory there is, for qsort
    SCMP_SYS(clock_gettime),      // where the vDSO has no clock
    SCMP_SYS(clock_gettime64),    //
    SCMP_SYS(gettimeofday),       //
    SCMP_SYS(time),               //
    SCMP_SYS(getcpu),             //
    SCMP_SYS(poll),               // sockets are waited for
    SCMP_SYS(ppoll),              //
    SCMP_SYS(ppoll_time64),       //
    SCMP_SYS(read),               //
    SCMP_SYS(recvfrom),           //
    SCMP_SYS(recvmsg),            //
    SCMP_SYS(sendto),             //
    SCMP_SYS(sendmsg),            //
    SCMP_SYS(getsockopt),         //
    SCMP_SYS(close),              //
    SCMP_SYS(fstat),              // what a descriptor is, for buffers of streams
    SCMP_SYS(fstat64),            //
    SCMP_SYS(newfstatat),         // the same; and whether the time zone changed: a look, by the account's rights
    SCMP_SYS(fstatat64),          //
    SCMP_SYS(statx),              //
    SCMP_SYS(stat),               //
    SCMP_SYS(stat64),             //
    SCMP_SYS(uname),              // the host's name, which templates may hold
};

// Of the relay. The first ones are those of each message and each turn.
constexpr std::array relay_calls{
    SCMP_SYS(recvmmsg),                // messages
    SCMP_SYS(recvmmsg_time64),         //
    SCMP_SYS(sendmmsg),                //
    SCMP_SYS(epoll_wait),              // the event loop
    SCMP_SYS(epoll_pwait),             //
    SCMP_SYS(epoll_pwait2),            //
    SCMP_SYS(epoll_ctl),               //
    SCMP_SYS(clock_nanosleep),         // pauses of the data path under load
    SCMP_SYS(clock_nanosleep_time64),  //
    SCMP_SYS(nanosleep),               //
    SCMP_SYS(timerfd_settime),         // timers of the event loop
    SCMP_SYS(timerfd_settime64),       //
    SCMP_SYS(timerfd_gettime),         //
    SCMP_SYS(timerfd_gettime64),       //
    SCMP_SYS(ftruncate),               // the pid file and capture files are emptied
    SCMP_SYS(ftruncate64),             //
    SCMP_SYS(unlink),                  // the pid file
    SCMP_SYS(unlinkat),                //
};

// Of a capture: its thread, files, libpcap's sockets.
constexpr std::array capture_calls{
    SCMP_SYS(epoll_create1),           // it begins
    SCMP_SYS(setpriority),             // its thread gives way
    SCMP_SYS(getrlimit),               // a descriptor for each interface
    SCMP_SYS(ugetrlimit),              //
    SCMP_SYS(setrlimit),               //
    SCMP_SYS(eventfd2),                // libpcap can be woken
    SCMP_SYS(bind),                    // to its interface
    SCMP_SYS(getsockname),             //
    SCMP_SYS(rt_sigpending),           // SIGPIPE and SIGXFSZ are held back while a file is written
    SCMP_SYS(rt_sigtimedwait),         //
    SCMP_SYS(rt_sigtimedwait_time64),  //
    SCMP_SYS(lseek),                   // files
    SCMP_SYS(_llseek),                 //
    SCMP_SYS(flock),                   //
    SCMP_SYS(rename),                  //
    SCMP_SYS(renameat),                //
    SCMP_SYS(renameat2),               //
    SCMP_SYS(access),                  //
    SCMP_SYS(faccessat),               //
    SCMP_SYS(faccessat2),              //
    SCMP_SYS(geteuid),                 // whose they are
    SCMP_SYS(geteuid32),               //
    SCMP_SYS(readlink),                // the master of an interface in /sys
    SCMP_SYS(readlinkat),              //
    SCMP_SYS(lstat),                   //
    SCMP_SYS(lstat64),                 //
    SCMP_SYS(pread64),                 // libraries of name services, for names in a filter
    SCMP_SYS(readv),                   // /proc, by streams
};

// Of the metrics endpoint.
constexpr std::array metrics_calls{
    SCMP_SYS(accept),       // somebody who reads
    SCMP_SYS(accept4),      //
    SCMP_SYS(shutdown),     // the end of what is sent
    SCMP_SYS(setpriority),  // its thread gives way
};

// Of a state file, which another takes the place of.
constexpr std::array state_calls{
    SCMP_SYS(fdatasync),  // it is on the disk
    SCMP_SYS(rename),     // its name
    SCMP_SYS(renameat),   //
    SCMP_SYS(renameat2),  //
};

// Of the resolver: getaddrinfo of glibc, with what the name services of Debian do.
constexpr std::array resolver_calls{
    SCMP_SYS(write),            // answers to the relay
    SCMP_SYS(writev),           //
    SCMP_SYS(connect),          // to name servers and services
    SCMP_SYS(bind),             //
    SCMP_SYS(setsockopt),       //
    SCMP_SYS(getsockname),      //
    SCMP_SYS(getpeername),      //
    SCMP_SYS(sendmmsg),         //
    SCMP_SYS(recvmmsg),         //
    SCMP_SYS(recvmmsg_time64),  //
    SCMP_SYS(select),           // name services
    SCMP_SYS(pselect6),         //
    SCMP_SYS(epoll_create1),    //
    SCMP_SYS(epoll_ctl),        //
    SCMP_SYS(epoll_wait),       //
    SCMP_SYS(epoll_pwait),      //
    SCMP_SYS(timerfd_create),   //
    SCMP_SYS(timerfd_settime),  //
    SCMP_SYS(clock_nanosleep),  //
    SCMP_SYS(nanosleep),        //
    SCMP_SYS(clock_getres),     //
    SCMP_SYS(lstat),            // files: hosts, resolv.conf, nsswitch.conf, libraries of name services
    SCMP_SYS(lstat64),          //
    SCMP_SYS(access),           //
    SCMP_SYS(faccessat),        //
    SCMP_SYS(faccessat2),       //
    SCMP_SYS(readlink),         //
    SCMP_SYS(readlinkat),       //
    SCMP_SYS(getcwd),           //
    SCMP_SYS(getdents64),       //
    SCMP_SYS(readv),            //
    SCMP_SYS(pread64),          //
    SCMP_SYS(lseek),            //
    SCMP_SYS(_llseek),          //
    SCMP_SYS(fstatfs),          //
    SCMP_SYS(statfs),           //
    SCMP_SYS(fadvise64),        //
    SCMP_SYS(getuid),           // whether the environment is to be trusted
    SCMP_SYS(geteuid),          //
    SCMP_SYS(getgid),           //
    SCMP_SYS(getegid),          //
    SCMP_SYS(getppid),          //
};

// Of the run-time libraries of sanitizers, which look at the process, and at its end for leaks: a thread of theirs
// stops the others as a debugger would. No other build is allowed these.
constexpr std::array sanitizer_calls{
    SCMP_SYS(clone),   SCMP_SYS(clone3),           SCMP_SYS(getdents), SCMP_SYS(getdents64), SCMP_SYS(geteuid),
    SCMP_SYS(getppid), SCMP_SYS(getuid),           SCMP_SYS(lseek),    SCMP_SYS(mincore),    SCMP_SYS(msync),
    SCMP_SYS(open),    SCMP_SYS(openat),           SCMP_SYS(pipe),     SCMP_SYS(pipe2),      SCMP_SYS(prctl),
    SCMP_SYS(pread64), SCMP_SYS(process_vm_readv), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(sigaltstack),
    SCMP_SYS(wait4)};
constexpr std::array tracing_requests{PTRACE_ATTACH, PTRACE_DETACH, PTRACE_CONT, PTRACE_GETREGSET};

struct Release {
  void operator()(scmp_filter_ctx filter) const noexcept { ::seccomp_release(filter); }
};

using Argument = scmp_arg_cmp;

constexpr std::int64_t all_of_int = 0xffffffff;  // the kernel looks at no more of an int

/// Argument `number`, of which `mask` selects the bits, is `value`.
[[nodiscard]] constexpr Argument is(unsigned number, std::int64_t value, std::int64_t mask = all_of_int) noexcept {
  return {number, SCMP_CMP_MASKED_EQ, static_cast<scmp_datum_t>(mask), static_cast<scmp_datum_t>(value & mask)};
}

class Filter {
 public:
  explicit Filter(std::uint32_t otherwise) : filter_(::seccomp_init(otherwise)) {
    if (!filter_) {
      throw std::system_error(ENOMEM, std::generic_category(), "cannot make a filter of system calls");
    }
    // A tree by the calls' numbers: none is far from its root, and recent kernels keep an index of those whose
    // arguments do not matter.
    static_cast<void>(set(SCMP_FLTATR_CTL_OPTIMIZE, 2));
    // Nobody else's code runs in this process; the mitigation would cost each message (Linux before 5.16).
    static_cast<void>(set(SCMP_FLTATR_CTL_SSB, 1));
    check(set(SCMP_FLTATR_CTL_TSYNC, 1), "cannot make a filter of system calls for all threads");
    // Calls by the numbers of another architecture, which would end their thread alone.
    check(set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "cannot make a filter of foreign system calls");
  }

  template <typename Calls>
  void allow_all(const Calls& calls) {
    for (const int call : calls) {
      allow(call, {});
    }
  }
  void allow(int call, std::initializer_list<Argument> arguments) { add(SCMP_ACT_ALLOW, call, arguments); }

  void refuse(int call, int error, std::initializer_list<Argument> arguments = {}) {
    add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, arguments);
  }

  /// Where argument 0 is another descriptor than this one, in which some bit is another: there is no masked "not
  /// equal".
  void allow_but_for(int call, int descriptor) {
    for (std::int64_t mask = 1; mask <= all_of_int; mask *= 2) {
      allow(call, {is(0, ~std::int64_t{descriptor}, mask)});
    }
  }

  void load() { check(::seccomp_load(filter_.get()), "cannot put the filter of system calls in force"); }

 private:
  static void check(int result, const char* what) {
    if (result != 0) {
      throw std::system_error(-result, std::generic_category(), what);
    }
  }

  [[nodiscard]] int set(scmp_filter_attr attribute, std::uint32_t value) {
    return ::seccomp_attr_set(filter_.get(), attribute, value);
  }

  void add(std::uint32_t action, int call, std::initializer_list<Argument> arguments) {
    const int result = ::seccomp_rule_add_array(filter_.get(), action, call, static_cast<unsigned>(arguments.size()),
                                                arguments.begin());
    if (result != -EEXIST) {  // in two lists
      check(result, "cannot make a filter of system calls");
    }
  }

  std::unique_ptr<void, Release> filter_;
};

/// New threads, no new processes. The flags of clone3 are out of a filter's sight; without it glibc takes clone.
void allow_threads(Filter& filter) {
  if (!is_sanitized) {
    filter.refuse(SCMP_SYS(clone3), ENOSYS);
    filter.allow(SCMP_SYS(clone), {is(0, CLONE_THREAD, CLONE_THREAD)});
  }
}

/// Signals to itself alone, as abort sends one, and no limits of others: they may have the same account.
void allow_own_process(Filter& filter) {
  filter.allow(SCMP_SYS(tgkill), {is(0, ::getpid())});
  filter.allow(SCMP_SYS(prlimit64), {is(0, 0)});
}

/// Not F_SETOWN, which has the kernel send signals to others.
void allow_fcntl(Filter& filter, std::initializer_list<int> commands) {
  for (const int command : commands) {
    filter.allow(SCMP_SYS(fcntl), {is(1, command)});
    filter.allow(SCMP_SYS(fcntl64), {is(1, command)});
  }
}

/// UDP_GRO is switched, what the kernel turns away in a flood, and the groups of multicasts; a capture has its rings
/// and filters. Not SO_PASSCRED, by which a socket gets a name, to which descriptors can be sent: a second number of
/// the pid file.
void allow_socket_options(Filter& filter, bool captures) {
  filter.allow(SCMP_SYS(setsockopt), {is(1, IPPROTO_UDP)});
  for (const int option : {SO_ATTACH_FILTER, SO_DETACH_FILTER}) {
    filter.allow(SCMP_SYS(setsockopt), {is(1, SOL_SOCKET), is(2, option)});
  }
  for (const int option : {IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP}) {
    filter.allow(SCMP_SYS(setsockopt), {is(1, IPPROTO_IPV6), is(2, option)});
  }
  if (captures) {
    filter.allow(SCMP_SYS(setsockopt), {is(1, SOL_PACKET)});
    for (const int option : {SO_TIMESTAMPNS_OLD, SO_TIMESTAMPNS_NEW, SO_RCVBUF}) {
      filter.allow(SCMP_SYS(setsockopt), {is(1, SOL_SOCKET), is(2, option)});
    }
  }
}

/// glibc opens files of its own now and then (how much memory may be had), and does without where it cannot.
void refuse_files(Filter& filter) {
  if (!is_sanitized) {
    filter.refuse(SCMP_SYS(open), EACCES);
    filter.refuse(SCMP_SYS(openat), EACCES);
  }
}

/// New files alone, by the rights of the account; those that are there are refused as above.
void allow_state(Filter& filter, bool captures) {
  filter.allow_all(state_calls);
  allow_fcntl(filter, {F_OFD_SETLK});
  if (!is_sanitized) {
    constexpr int of_new = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    filter.allow(SCMP_SYS(openat), {is(2, of_new, O_ACCMODE | O_CREAT | O_EXCL | O_NOFOLLOW)});
    if (!captures) {
      filter.refuse(SCMP_SYS(open), EACCES);
      for (const int reading : {O_RDONLY, O_RDWR}) {
        filter.refuse(SCMP_SYS(openat), EACCES, {is(2, reading, O_ACCMODE)});
      }
      filter.refuse(SCMP_SYS(openat), EACCES, {is(2, O_WRONLY, O_ACCMODE | O_EXCL)});
    }
  }
}

void allow_reading_files(Filter& filter) {
  if (!is_sanitized) {
    constexpr int changes = O_ACCMODE | O_CREAT | O_TRUNC;
    filter.allow(SCMP_SYS(open), {is(1, O_RDONLY, changes)});
    filter.allow(SCMP_SYS(openat), {is(2, O_RDONLY, changes)});
  }
}

/// Files by the rights of the account: what /proc and /sys say of the host, and the capture's own.
void allow_captures(Filter& filter, bool has_unix_sockets) {
  filter.allow_all(capture_calls);
  allow_reading_files(filter);
  if (!is_sanitized) {
    filter.allow(SCMP_SYS(openat), {is(2, O_WRONLY | O_NOFOLLOW, O_ACCMODE | O_NOFOLLOW)});
  }
  filter.allow(SCMP_SYS(socket), {is(0, AF_PACKET)});
  filter.allow(SCMP_SYS(socket), {is(0, AF_NETLINK)});  // libpcap's, for questions about an interface
  // A name of a host in the capture's filter, and what a libpcap with more link types tries.
  for (const int family : {AF_INET, AF_INET6, AF_BLUETOOTH}) {
    filter.refuse(SCMP_SYS(socket), EACCES, {is(0, family)});
  }
  if (!has_unix_sockets) {
    filter.refuse(SCMP_SYS(socket), EACCES, {is(0, AF_UNIX)});
  }
  // Questions about interfaces: SIOCGIFINDEX and its neighbours, and those of wireless ones. Orders take CAP_NET_ADMIN.
  constexpr std::int64_t all_but_low_byte = 0xffffff00;
  constexpr std::int64_t all_but_low_digit = 0xfffffff0;
  for (const int first : {0x8910, 0x8920, 0x8930, 0x8940, 0x8990}) {  // not 0x8900: FIOSETOWN, SIOCSPGRP
    filter.allow(SCMP_SYS(ioctl), {is(1, first, all_but_low_digit)});
  }
  filter.allow(SCMP_SYS(ioctl), {is(1, SIOCGIWNAME, all_but_low_byte)});
}

void allow_writing(Filter& filter, int pid_file) {
  if (pid_file < 0) {
    filter.allow(SCMP_SYS(write), {});
  } else {
    filter.allow_but_for(SCMP_SYS(write), pid_file);  // root's scripts send signals to whom it names
  }
  filter.allow(SCMP_SYS(writev), {is(0, STDERR_FILENO)});  // last words of glibc
}

void allow_unix_sockets(Filter& filter) {
  filter.allow(SCMP_SYS(socket), {is(0, AF_UNIX)});
  filter.allow(SCMP_SYS(connect), {});
}

}  // namespace

void confine_relay(const RelayCalls& calls) {
  ::tzset();  // from a file, for the times in lines to syslog
  Filter filter{SCMP_ACT_KILL_PROCESS};
  filter.allow_all(relay_calls);
  filter.allow_all(any_program);
  allow_threads(filter);
  allow_own_process(filter);
  allow_writing(filter, calls.pid_file);
  allow_fcntl(filter, {F_GETFD, F_GETFL, F_SETFL});
  allow_socket_options(filter, calls.captures);
  if (calls.null_device >= 0) {
    filter.allow(SCMP_SYS(dup2), {is(0, calls.null_device)});
    filter.allow(SCMP_SYS(dup3), {is(0, calls.null_device)});
  }
  filter.allow(SCMP_SYS(ioctl), {is(1, FIONBIO)});  // the event loop's descriptors do not block
  if (calls.serves_metrics) {
    filter.allow_all(metrics_calls);
  }
  if (calls.unix_sockets) {
    allow_unix_sockets(filter);
  }
  if (calls.captures) {
    allow_captures(filter, calls.unix_sockets);
  } else {
    filter.allow(SCMP_SYS(ioctl), {is(1, SIOCETHTOOL)});  // whether an interface cuts up runs of messages
  }
  if (calls.writes_state) {
    allow_state(filter, calls.captures);
  } else if (!calls.captures) {
    refuse_files(filter);
  }
  if (is_sanitized) {
    filter.allow_all(sanitizer_calls);
    filter.allow(SCMP_SYS(ioctl), {is(1, TCGETS)});  // whether reports may have colours
    for (const int request : tracing_requests) {
      filter.allow(SCMP_SYS(ptrace), {is(0, request)});
    }
  }
  filter.load();
}

void confine_resolver() {
  Filter filter{SCMP_ACT_ERRNO(EPERM)};
  filter.allow_all(any_program);
  filter.allow_all(resolver_calls);
  allow_threads(filter);
  allow_own_process(filter);
  allow_reading_files(filter);
  allow_fcntl(filter, {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC});
  filter.allow(SCMP_SYS(ioctl), {is(1, FIONREAD)});  // of what a name server sent
  filter.allow(SCMP_SYS(ioctl), {is(1, FIONBIO)});
  // No raw ones: under a service manager that forbids to give capabilities up, CAP_NET_RAW may be left.
  constexpr std::int64_t type_bits = 0xf;
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      filter.allow(SCMP_SYS(socket), {is(0, family), is(1, type, type_bits)});
    }
  }
  for (const int family : {AF_UNIX, AF_NETLINK}) {
    filter.allow(SCMP_SYS(socket), {is(0, family)});
  }
  if (is_sanitized) {
    filter.allow_all(sanitizer_calls);
  }
  filter.load();
}

}  // namespace relay::io
