extension YAMLWriter {
  mutating func alerting(_ alerting: AlertingConfig?) {
    guard let alerting else { return }
    mapping("alerting") { yaml in
      yaml.mappings("alertmanagers", alerting.alertmanagers) { yaml, alertmanager in yaml.alertmanager(alertmanager) }
      yaml.mappings("relabel", alerting.relabel) { yaml, step in yaml.relabel(step) }
      yaml.field("resend_delay", durationText(alerting.resendDelay))
      yaml.field("queue_capacity", String(alerting.queueCapacity))
    }
  }

  private mutating func alertmanager(_ alertmanager: AlertmanagerConfig) {
    let address = alertmanager.address
    if alertmanager.isDiscovered {
      mapping("dns") { yaml in
        yaml.field("name", address.host)
        yaml.field("port", String(address.port))
        yaml.field("scheme", address.usesTLS ? "https" : "http")
        yaml.field("path_prefix", address.path.isEmpty ? nil : address.path)
      }
    } else {
      field("url", address.description)
    }
    webLogin(alertmanager.login)
    tls(alertmanager.tls)
    field("timeout", durationText(alertmanager.timeout))
  }

  private mutating func webLogin(_ login: AlertmanagerConfig.Login?) {
    switch login {
    case .basic(let user, let password):
      mapping("basic_auth") { yaml in
        yaml.field("username", user)
        yaml.secret("password", password)
      }
    case .bearer(let token): secret("bearer_token", token)
    case nil: break
    }
  }

  mutating func shards(_ shards: ShardsConfig?) {
    guard let shards else { return }
    mapping("shards") { yaml in
      yaml.list("urls", shards.urls.map(\.description))
      yaml.webLogin(shards.login)
      yaml.tls(shards.tls)
      yaml.field("timeout", durationText(shards.timeout))
    }
  }

  /// Only what differs from the defaults: most keys have no meaning with most actions.
  private mutating func relabel(_ step: RelabelConfig) {
    field("action", step.action.rawValue)
    list("source_labels", step.sourceLabels)
    if step.separator != RelabelConfig.defaultSeparator { field("separator", step.separator) }
    if step.regex != RelabelConfig.defaultRegex { field("regex", step.regex) }
    if step.modulus > 0 { field("modulus", String(step.modulus)) }
    if !step.targetLabel.isEmpty { field("target_label", step.targetLabel) }
    if step.replacement != RelabelConfig.defaultReplacement { field("replacement", step.replacement) }
  }
}
