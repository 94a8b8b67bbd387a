// Reads the media plane's internals, which a release build shows only with -enable-testing -DTESTING.
#if DEBUG || TESTING
    @testable import RoundhouseMedia

    extension VirtualPeer {
        /// A check of every path; the path that media uses nominates.
        func sendChecks(now: MediaInstant) {
            guard sendsChecks, remote != nil else {
                nextCheck = nil
                return
            }
            for path in paths { sendCheck(from: path, nominates: nominates && path == localAddress) }
            nextCheck = now + (confirmedPaths.isEmpty ? .milliseconds(50) : Self.recheckInterval)
        }

        /// One binding request (RFC 8445 §7.2.2).
        func sendCheck(from path: IPAddressPort, nominates: Bool) {
            guard let remote else { return }
            let id = STUNTransactionID(high: random.next(), low: UInt32(truncatingIfNeeded: random.next()))
            var request = STUNBindingRequest(
                transactionID: id, username: remote.credentials.usernameFragment + ":" + credentials.usernameFragment,
                priority: 1_853_824_767, controlling: random.next())
            request.hasUseCandidate = nominates
            var writer = ByteWriter(scratch)
            guard (try? request.write(into: &writer, key: HMACSHA1Key(password: remote.credentials.password))) != nil
            else {
                return
            }
            if checks.count > 64 { checks.removeAll() }
            checks[id] = path
            send(writer.written, from: path)
        }

        /// Moves to another address, as a phone does that leaves a wireless network.
        func move(to address: IPAddressPort) {
            localAddress = address
            paths = [address]
            nextCheck = now
        }

        func stunReceived(_ bytes: UnsafeRawBufferPointer, on address: IPAddressPort) {
            guard let remote, let message = try? STUNMessage(parsing: bytes), checks[message.transactionID] == address
            else {
                badResponses += 1
                return
            }
            switch message.messageClass {
            case .success:
                guard message.isAuthenticated(by: HMACSHA1Key(password: remote.credentials.password)),
                    message.xorMappedAddress == address
                else {
                    badResponses += 1
                    return
                }
                checksSucceeded += 1
                confirmedPaths.insert(address)
                nextCheck = earliest(nextCheck.map { max($0, now + Self.recheckInterval) }, nil)
                if dtlsRole == .client { startDTLS() }
            case .error: checksFailed.append(message.errorCode ?? 0)
            case .request, .indication: badResponses += 1
            }
            checks[message.transactionID] = nil
        }
    }
#endif
