import Logging
import RoundhouseGateway
import RoundhouseRooms

/// Reads the configuration again at SIGHUP: what is reloadable changes under way, all else waits for the next start, and the log
/// says so. What cannot be used changes nothing.
struct ConfigurationReload {
    let options: SettingsOptions
    let server: RunningServer
    let running: RunningSettings
    let logger: Logger

    func callAsFunction() async {
        let settings: ServerSettings
        do throws(SettingsError) {
            settings = try ServerSettings.read(options)
        } catch {
            logger.error("configuration not reloaded, the old one stays", metadata: ["error": "\(error.message)"])
            return
        }
        let former = running.current
        for setting in Setting.allCases where former.fingerprints[setting] != settings.fingerprints[setting] {
            let values: Logger.Metadata = [
                "setting": "\(setting.rawValue)", "from": "\(former.shown[setting]?.value ?? "")",
                "to": "\(settings.shown[setting]?.value ?? "")",
            ]
            if setting.isReloadable {
                logger.notice("setting changed", metadata: values)
            } else {
                logger.warning("setting changed in the configuration: it needs a restart", metadata: values)
            }
        }
        for warning in settings.warnings { logger.warning("\(warning)") }
        running.current = settings
        await server.rooms.apply(limits: settings.rooms)
        do throws(GatewayError) {
            try server.gateway.reload(settings.gateway)
        } catch {
            logger.error("certificate not reloaded, the old one stays", metadata: ["error": "\(error)"])
        }
        logger.notice("configuration reloaded", metadata: ["keys": "\(settings.gateway.access.keys.count)"])
    }
}
