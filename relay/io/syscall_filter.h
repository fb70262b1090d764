// The lists of system calls that the relay and its resolver are left with (seccomp(2)).
#pragma once

namespace relay::io {

/// What the relay does besides relaying, and needs calls for.
struct RelayCalls {
  bool captures = false;        ///< opens packet sockets, and files as far as its account may
  bool writes_state = false;    ///< makes files as far as its account may, and gives them their names
  bool serves_metrics = false;  ///< answers those who connect to a socket of its own
  bool unix_sockets = false;    ///< connects to a service of this host again, as to syslog after that was restarted
  int pid_file = -1;            ///< a descriptor that nothing is written to any more; -1: none
  int null_device = -1;         ///< a descriptor that takes the place of standard ones; -1: none
};

/// From now on the kernel ends the process when any of its threads, those that run already included, makes a call that
/// is not on the relay's list. Without `captures` and `writes_state` no file can be opened. Needs no_new_privs; throws
/// std::system_error.
void confine_relay(const RelayCalls& calls);

/// The same for a process that reads files and resolves names and does nothing else. What is not on its list fails with
/// EPERM: a name service of this host that asks for more is left out, and the others are asked.
void confine_resolver();

}  // namespace relay::io
