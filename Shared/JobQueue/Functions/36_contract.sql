-- The contract with producers that are not written in Swift: the parameters, answers, rights and error codes of
-- queue.resolve, queue.send, queue.send_many, queue.send_unique, queue.publish and queue.bell.
--
-- The rule of change: parameters are added at the end and with a default, columns of answers at the end; that leaves the
-- version as it is. Whatever a producer would have to be changed for raises the version by one and gets a new name, and
-- the old function stays for one release more. A test compares the signatures with those that are written down.
create function queue.contract_version() returns int language sql immutable return 1;
